"""Databases of earlier versions: their jobs and blobs have none of the fields that came later."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from civitai_mock.domain.blob import PREVIEW, Blob, blob_key
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.search import JobCriteria, Spending, property_paths
from civitai_mock.storage.mongo import schema, upgrade
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.encoding import moment_text
from tests.support.dates import START
from tests.support.jobs import add_jobs, chunks, collect, job_id, make_claim, make_job, succeeded
from tests.support.mongo import MongoAddress

pytestmark = pytest.mark.mongo

ADDED_AT_SUBMISSION = [
    "submissionId",
    "position",
    "name",
    "callbackUrl",
    "clientCompat",
    "providers",
    "dependencies",
    "charged",
    "leaves",
]
CHUNK = 255 * 1024
ADDED_LATER = [
    "taint",
    "callback",
    "epoch",
    "waitsIn",
    "openIn",
    "spent",
    "images",
    "result",
    "endedAt",
    "slots.$[].name",
    "resources.$[].hashes",
]


@pytest.fixture
async def old(address: MongoAddress) -> list[Job]:
    """One that succeeded, one that is claimed and one that is queued, as this version is to see them."""
    async with address.open() as stores, address.inside() as inside:
        await add_jobs(stores.jobs, 3)
        first, _ = await stores.queue.claim(make_claim(), limit=2)
        assert await stores.jobs.replace(first, succeeded(first))
        jobs = await stores.jobs.get_many([job_id(number) for number in (1, 2, 3)])
        await strip(inside)
    return [
        replace(job, submission_id=job.id, charged=False, resources=tuple(map(without_hashes, job.resources)))
        for job in jobs
    ]


def without_hashes(resource: JobResource) -> JobResource:
    return replace(resource, hashes=())


async def strip(inside: Collections) -> None:
    await inside.jobs.update_many({}, [{"$set": {"queued": {"$ne": ["$queuedIn", None]}}}, {"$unset": "queuedIn"}])
    await inside.jobs.update_many({}, {"$unset": dict.fromkeys([*ADDED_AT_SUBMISSION, *ADDED_LATER], "")})


async def test_a_database_of_a_later_version_is_refused_before_anything_is_touched(address: MongoAddress) -> None:
    async with address.open() as stores, address.inside() as inside:
        await add_jobs(stores.jobs, 1)
        assert await inside.secrets.find_one({"_id": schema.ID}) == {"_id": schema.ID, "version": schema.VERSION}
        await inside.secrets.update_one({"_id": schema.ID}, {"$set": {"version": schema.VERSION + 1}})
        await strip(inside)
        before = await inside.jobs.find_one()
        with pytest.raises(TransientError, match=r"its schema has version \d+, this program knows \d+"):
            async with address.open():
                pass
        assert await inside.jobs.find_one() == before


async def test_a_database_that_does_not_tell_its_version_is_an_earlier_one(address: MongoAddress) -> None:
    async with address.open(), address.inside() as inside:
        await inside.secrets.delete_one({"_id": schema.ID})
    async with address.open(), address.inside() as inside:
        assert await inside.secrets.find_one({"_id": schema.ID}) is not None


@pytest.mark.parametrize("page", [1, 500])
async def test_jobs_of_the_first_version_are_found_and_go_on(
    address: MongoAddress, old: list[Job], page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "JOBS_IN_ONE_WRITE", page)
    async with address.open() as stores:
        assert list(await stores.jobs.get_many([job.id for job in old])) == old
        by_leaf = JobCriteria(property_paths=property_paths(old[0].properties))
        assert list(await stores.search.find(by_leaf, limit=10)) == old[::-1]
        spending = await stores.search.spending(old[0].issued_by, since=None, until=None)
        assert spending == Spending(images=2, cost=0)
        assert (await stores.queue.snapshot(recent_since=START)).recent == 1
        assert [job.id for job in await stores.queue.claim(make_claim(), limit=10)] == [old[2].id]


async def test_blobs_of_earlier_versions_are_those_of_the_consumers_whose_jobs_made_them(address: MongoAddress) -> None:
    """A blob that outlived its job is nobody's."""
    job = make_job(1)
    keys = [job.slots[1].blob_key, blob_key(job.id, PREVIEW), blob_key(job_id(2), 0)]
    async with address.open() as stores, address.inside() as inside:
        await stores.jobs.add([job])
        for key in keys:
            await put_old_file(inside, key, b"x", keep_until=job.keep_until)
    for _ in range(2):
        async with address.open() as stores:
            found = [await stores.blobs.stat(key) for key in keys]
            assert [blob.owner for blob in found if blob] == [job.issued_by, job.issued_by, None]


@pytest.mark.parametrize("page", [1, 500])
async def test_blobs_of_earlier_versions_are_read_replaced_and_swept(
    address: MongoAddress, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one was replaced there were two files, of which the newest counts."""
    monkeypatch.setattr(upgrade, "FILES_IN_ONE_WRITE", page)
    keep_until, sizes = make_job(1).keep_until, {"a": 5, "b": 600_000, "c": 7}
    async with address.open(), address.inside() as inside:
        for key, size in sizes.items():
            await put_old_file(inside, key, b"old", keep_until=keep_until)
            await put_old_file(inside, key, bytes(size), keep_until=keep_until)
    async with address.open() as stores, address.inside() as inside:
        for key, size in sizes.items():
            blob = await stores.blobs.stat(key)
            assert isinstance(blob, Blob)
            assert (blob.size, blob.etag, blob.content_type, blob.owner) == (size, f"etag of {key}", "image/png", None)
            assert await collect(stores.blobs.read(key, start=0, stop=size)) == bytes(size)
        await stores.blobs.put("a", chunks(b"new"), content_type="image/png", keep_until=keep_until)
        assert await collect(stores.blobs.read("a", start=0, stop=3)) == b"new"
        assert await stores.blobs.delete("b")
        assert await stores.blobs.sweep(keep_until) == 2
        assert await inside.blob_files.count_documents({}) == await inside.blob_chunks.count_documents({}) == 0


async def put_old_file(inside: Collections, key: str, content: bytes, *, keep_until: datetime) -> None:
    """Store a blob as versions 1 and 2 did, which did not know whose it is."""
    metadata = {"contentType": "image/png", "etag": f"etag of {key}", "keepUntil": moment_text(keep_until)}
    file_id = ObjectId()
    file = {
        "_id": file_id,
        "filename": key,
        "length": len(content),
        "chunkSize": CHUNK,
        "uploadDate": datetime.now(UTC),
    }
    parts = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    await inside.blob_chunks.insert_many([{"files_id": file_id, "n": n, "data": part} for n, part in enumerate(parts)])
    await inside.blob_files.insert_one({**file, "metadata": metadata})
