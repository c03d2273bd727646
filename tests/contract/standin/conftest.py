"""A stand-in without options, for tests that need no other; a module may have its own `session`."""

from collections.abc import AsyncIterator

import pytest

from tests.support.standin_session import StandinSession, standin_session


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session() as opened:
        yield opened
