"""The app under test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.served import Served, serve
from tests.support.system import ManualClock


@pytest.fixture
async def served(clock: ManualClock) -> AsyncIterator[Served]:
    async with serve(clock) as opened:
        yield opened


@pytest.fixture
def client(served: Served) -> httpx.AsyncClient:
    return served.client
