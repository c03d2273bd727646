"""Processes that start together agree on one secret."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.mongo import mongo_address

pytestmark = pytest.mark.mongo


async def test_processes_that_ask_first_at_once_get_the_same_secret() -> None:
    async with mongo_address() as address, AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(address.open()) for _ in range(4)]
        drawn = await asyncio.gather(*(stores.secrets.secret("key") for stores in processes))
        other = await processes[0].secrets.secret("other")
    assert len({*drawn}) == 1
    assert len(drawn[0]) == 32
    assert other not in drawn
