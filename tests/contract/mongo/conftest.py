"""A MongoDB database of its own for each test, the store on it, and what is stored as an operator sees it."""

from collections.abc import AsyncIterator

import pytest

from civitai_mock.ports import Stores
from civitai_mock.storage.mongo.collections import Collections
from tests.support.mongo import MongoAddress, mongo_address


@pytest.fixture
async def address() -> AsyncIterator[MongoAddress]:
    async with mongo_address() as address:
        yield address


@pytest.fixture
async def stores(address: MongoAddress) -> AsyncIterator[Stores]:
    async with address.open() as opened:
        yield opened


@pytest.fixture
async def inside(address: MongoAddress, stores: Stores) -> AsyncIterator[Collections]:
    async with address.inside() as collections:
        yield collections
