"""Every layout of processes, for what has to be the same in all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.deployment import LAYOUTS, MONOLITH, Deployment, deployed

EVERY_LAYOUT = [pytest.param(layout, marks=() if layout == MONOLITH else pytest.mark.long) for layout in LAYOUTS]


@pytest.fixture(params=EVERY_LAYOUT)
async def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(request.param, tmp_path, scheduler_max_in_flight=20) as opened:
        yield opened
