"""The indexes are there, and the queries about jobs and workflows use them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from civitai_mock.storage.mongo import open_mongo
from civitai_mock.storage.mongo.collections import (
    LONGEST_ANNOUNCED_FIRST,
    LONGEST_DUE_FIRST,
    QUEUE_ORDER,
    YOUNGEST_FIRST,
    Collections,
)
from tests.support.mongo import NAMES, MongoAddress, mongo_address

pytestmark = pytest.mark.mongo


@pytest.fixture
async def address() -> AsyncIterator[MongoAddress]:
    """Opened twice at once, as two processes would that start together."""

    async def open_and_close(address: MongoAddress) -> None:
        async with open_mongo(uri=address.uri, database=address.database, names=NAMES):
            pass

    async with mongo_address() as address:
        await asyncio.gather(open_and_close(address), open_and_close(address))
        yield address


@pytest.fixture
async def inside(address: MongoAddress) -> AsyncIterator[Collections]:
    async with address.inside() as collections:
        yield collections


@pytest.mark.parametrize(
    ("collection", "key"),
    [
        ("resources", [("airKey", 1)]),
        ("jobs", [("jobId", 1)]),
        ("job_events", [("jobId", 1), ("seq", 1)]),
        ("workflows", [("owner", 1), ("externalId", 1)]),
        ("blob_chunks", [("files_id", 1), ("n", 1)]),
    ],
)
async def test_what_must_be_unique_has_a_unique_index(
    inside: Collections, collection: str, key: list[tuple[str, int]]
) -> None:
    indexes = (await getattr(inside, collection).index_information()).values()
    assert [index["unique"] for index in indexes if list(index["key"]) == key] == [True]


@pytest.mark.parametrize(
    ("key", "matching"),
    [
        ([("owner", 1), ("externalId", 1)], {"externalId": {"$exists": True}}),
        ([("owner", 1), ("tags", 1), ("position", 1)], {"tags": {"$exists": True}}),
        ([("running", 1), ("_id", 1)], {"running": True}),
    ],
)
async def test_an_index_of_workflows_has_only_those_that_it_is_about(
    inside: Collections, key: list[tuple[str, int]], matching: dict[str, object]
) -> None:
    indexes = (await inside.workflows.index_information()).values()
    assert [index["partialFilterExpression"] for index in indexes if list(index["key"]) == key] == [matching]


async def test_jobs_without_properties_take_no_place_in_the_index_of_leaves(inside: Collections) -> None:
    """Its plan cannot be asked for everywhere: SecantusDB does not use such an index."""
    indexes = (await inside.jobs.index_information()).values()
    found = [index for index in indexes if list(index["key"]) == [("leaves", 1), ("position", 1)]]
    assert [index["partialFilterExpression"] for index in found] == [{"leaves": {"$exists": True}}]


@pytest.mark.parametrize("collection", ["jobs", "job_events"])
async def test_the_server_deletes_at_the_date_in_expire_at(inside: Collections, collection: str) -> None:
    indexes = (await getattr(inside, collection).index_information()).values()
    assert [index["expireAfterSeconds"] for index in indexes if list(index["key"]) == [("expireAt", 1)]] == [0]


@pytest.mark.parametrize(
    ("collection", "matching", "sort"),
    [
        ("jobs", {"queued": True}, QUEUE_ORDER),
        ("jobs", {"jobId": {"$in": ["a", "b"]}}, []),
        ("jobs", {"claim.workerId": "a", "claim.token": 1}, []),
        ("jobs", {"claim.workerId": "a"}, []),
        ("jobs", {"claim.until": {"$lt": "a"}}, [("claim.until", 1)]),
        ("jobs", {"outcome": None, "deadline": {"$lte": "a"}}, [("deadline", 1)]),
        ("jobs", {"waits": True, "jobId": {"$gt": "a"}}, [("jobId", 1)]),
        ("jobs", {"endedAt": {"$gte": "a"}}, []),
        ("jobs", {"feedPosition": {"$gt": "a"}}, [("feedPosition", 1)]),
        ("jobs", {"callback.dueAt": {"$lte": "a"}}, LONGEST_DUE_FIRST),
        ("jobs", {"callback.dueAt": {"$gt": ""}}, LONGEST_DUE_FIRST),
        ("jobs", {"position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"type": "a", "position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"issuedBy": "a", "position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"workflow.id": {"$in": ["a", "b"]}}, []),
        ("workflows", {"owner": "a", "listed": True, "position": {"$lt": "b", "$gt": "a"}}, YOUNGEST_FIRST),
        ("workflows", {"owner": "a", "listed": True, "failed": False, "position": {"$gt": "a"}}, YOUNGEST_FIRST),
        ("workflows", {"owner": "a", "reservation": None}, []),
        ("workflows", {"keepUntil": {"$lte": "a"}}, []),
        ("workflows", {"outbox.dueAt": {"$lte": "a"}}, LONGEST_ANNOUNCED_FIRST),
        ("reservations", {"issuedBy": "a"}, []),
        ("reservations", {"at": {"$lte": "a"}}, []),
        ("job_events", {"jobId": "a", "seq": {"$lt": 2}}, [("seq", 1)]),
        ("resources", {"airKey": "a"}, []),
        ("resources", {"source": "a", "version": "1"}, []),
        ("blobs", {"keepUntil": {"$lte": "a"}}, []),
        ("blob_files", {"metadata.keepUntil": {"$lte": "a"}}, []),
        ("blob_chunks", {"files_id": 1, "n": {"$gte": 0, "$lt": 2}}, [("n", 1)]),
    ],
)
async def test_no_query_scans_a_collection(
    address: MongoAddress, inside: Collections, collection: str, matching: dict[str, Any], sort: list[tuple[str, int]]
) -> None:
    name = getattr(inside, collection).name
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(address.uri)
    plan = await client[address.database].command({"explain": {"find": name, "filter": matching, "sort": dict(sort)}})
    client.close()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
