"""The app under test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from civitai_mock.clock import VirtualClock
from tests.support.served_app import Served, serve


@pytest.fixture
async def served(clock: VirtualClock) -> AsyncIterator[Served]:
    async with serve(clock) as opened:
        yield opened


@pytest.fixture
def client(served: Served) -> httpx.AsyncClient:
    return served.client
