"""The indexes are there, and the queries about jobs and workflows use them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[MongoAddress]:
    """Opened twice at once, as two processes would that start together; the tests only look at it."""

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
        ("resources", [("epoch", 1), ("airKey", 1)]),
        ("jobs", [("jobId", 1), ("epoch", 1)]),
        ("job_events", [("jobId", 1), ("epoch", 1), ("seq", 1)]),
        ("workflows", [("epoch", 1), ("owner", 1), ("externalId", 1)]),
        ("blob_chunks", [("files_id", 1), ("n", 1)]),
    ],
)
async def test_what_must_be_unique_has_a_unique_index(
    inside: Collections, collection: str, key: list[tuple[str, int]]
) -> None:
    indexes = (await getattr(inside, collection).index_information()).values()
    assert [index["unique"] for index in indexes if list(index["key"]) == key] == [True]


@pytest.mark.parametrize(
    ("collection", "key", "matching"),
    [
        ("jobs", [("queuedIn", 1), *QUEUE_ORDER, ("cost", 1)], {"queuedIn": {"$gt": 0}}),
        ("jobs", [("queuedIn", 1), ("movedBy", 1), *QUEUE_ORDER], {"queuedIn": {"$gt": 0}, "movedBy": "TIME"}),
        ("jobs", [("waitsIn", 1), ("jobId", 1)], {"waitsIn": {"$gt": 0}}),
        ("jobs", [("openIn", 1), ("deadline", 1)], {"openIn": {"$gt": 0}}),
        ("jobs", [("epoch", 1), ("claim.until", 1)], {"claim.until": {"$gt": ""}}),
        ("jobs", [("epoch", 1), ("endedAt", 1)], {"endedAt": {"$gt": ""}}),
        ("jobs", [("epoch", 1), ("callback.dueAt", 1)], {"callback.dueAt": {"$gt": ""}}),
        ("jobs", [("epoch", 1), ("leaves", 1), ("position", 1)], {"leaves": {"$exists": True}}),
        ("workflows", [("epoch", 1), ("owner", 1), ("externalId", 1)], {"externalId": {"$gte": ""}}),
        ("workflows", [("epoch", 1), ("owner", 1), ("tags", 1), ("position", 1)], {"tags": {"$exists": True}}),
        ("workflows", [("runningIn", 1), ("_id", 1)], {"runningIn": {"$gt": 0}}),
        ("workflows", [("epoch", 1), ("outbox.dueAt", 1)], {"outbox.dueAt": {"$gt": ""}}),
    ],
)
async def test_an_index_has_only_those_that_it_is_about(
    inside: Collections, collection: str, key: list[tuple[str, int]], matching: dict[str, object]
) -> None:
    """The plan cannot be asked for everywhere: SecantusDB does not use one of what exists."""
    indexes = (await getattr(inside, collection).index_information()).values()
    assert [index["partialFilterExpression"] for index in indexes if list(index["key"]) == key] == [matching]


async def test_the_server_deletes_nothing_by_its_own_clock(inside: Collections) -> None:
    for collection in (inside.jobs, inside.job_events, inside.workflows, inside.blobs, inside.reservations):
        assert [
            index for index in (await collection.index_information()).values() if "expireAfterSeconds" in index
        ] == []


async def test_no_two_indexes_have_the_same_keys(inside: Collections) -> None:
    for collection in (inside.jobs, inside.job_events, inside.workflows, inside.blobs, inside.resources):
        keys = [str(index["key"]) for index in (await collection.index_information()).values()]
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("collection", "matching", "sort"),
    [
        ("jobs", {"queuedIn": 1}, QUEUE_ORDER),
        ("jobs", {"queuedIn": 1, "movedBy": "TIME"}, QUEUE_ORDER),
        ("jobs", {"jobId": "a", "epoch": 1}, []),
        ("jobs", {"jobId": {"$in": ["a", "b"]}}, []),  # SecantusDB does not plan for it with an epoch, but does it
        ("jobs", {"claim.workerId": "a", "claim.token": 1}, []),
        ("jobs", {"epoch": 1, "claim.until": {"$gt": "", "$lt": "a"}}, [("claim.until", 1)]),
        ("jobs", {"openIn": 1, "deadline": {"$lte": "a"}}, [("deadline", 1)]),
        ("jobs", {"waitsIn": 1, "jobId": {"$gt": "a"}}, [("jobId", 1)]),
        ("jobs", {"epoch": 1, "endedAt": {"$gte": "a"}}, []),
        ("jobs", {"feedPosition": {"$gt": "a"}}, [("feedPosition", 1)]),
        ("jobs", {"epoch": 1, "callback.dueAt": {"$gt": "", "$lte": "a"}}, LONGEST_DUE_FIRST),
        ("jobs", {"epoch": 1, "callback.dueAt": {"$gt": ""}}, LONGEST_DUE_FIRST),
        ("jobs", {"epoch": 1, "position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"epoch": 1, "type": "a", "position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"epoch": 1, "issuedBy": "a", "position": {"$lt": "a"}}, YOUNGEST_FIRST),
        ("jobs", {"workflow.id": {"$in": ["a", "b"]}}, []),
        ("jobs", {"epoch": 1, "keepUntil": {"$lte": "a"}}, []),
        ("workflows", {"epoch": 1, "owner": "a", "externalId": "a"}, []),
        ("workflows", {"epoch": 1, "owner": "a", "listed": True, "position": {"$lt": "b", "$gt": "a"}}, YOUNGEST_FIRST),
        (
            "workflows",
            {"epoch": 1, "owner": "a", "listed": True, "failed": False, "position": {"$gt": "a"}},
            YOUNGEST_FIRST,
        ),
        ("workflows", {"epoch": 1, "owner": "a", "reservation": None}, []),
        ("workflows", {"runningIn": 1, "_id": {"$gt": "a"}}, [("_id", 1)]),
        ("workflows", {"epoch": 1, "keepUntil": {"$lte": "a"}}, []),
        ("workflows", {"epoch": 1, "outbox.dueAt": {"$gt": "", "$lte": "a"}}, LONGEST_ANNOUNCED_FIRST),
        ("reservations", {"epoch": 1, "issuedBy": "a"}, []),
        ("reservations", {"at": {"$lte": "a"}}, []),
        ("job_events", {"jobId": "a", "epoch": 1, "seq": {"$lt": 2}}, [("seq", 1)]),
        ("job_events", {"epoch": 1, "keepUntil": {"$lte": "a"}}, []),
        ("resources", {"epoch": 0, "airKey": "a"}, []),
        ("resources", {"epoch": 0, "identity": {"$in": ["a", "b"]}}, []),
        ("resources", {"epoch": 0, "source": "a", "version": "1"}, []),
        ("blobs", {"epoch": 1, "keepUntil": {"$lte": "a"}}, []),
        ("blob_files", {"metadata.epoch": 1, "metadata.keepUntil": {"$lte": "a"}}, []),
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
