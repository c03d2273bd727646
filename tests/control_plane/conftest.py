"""Every layout of processes, for what has to be the same in all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.deployment import LAYOUTS, Deployment, deployed


@pytest.fixture(params=LAYOUTS)
async def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(request.param, tmp_path) as opened:
        yield opened
