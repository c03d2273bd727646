"""What only GridFS can get wrong about blobs: a blob is many documents."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from civitai_mock.domain.errors import NotFoundError
from civitai_mock.ports import BlobStore
from civitai_mock.storage.mongo.blobs import LONGEST_UPLOAD
from civitai_mock.storage.mongo.collections import Collections
from tests.support.dates import START
from tests.support.jobs import LIFETIME, chunks, collect
from tests.support.mongo import mongo_address

pytestmark = pytest.mark.mongo

CHUNK = 255 * 1024
PNG = "image/png"
KEEP_UNTIL = START + LIFETIME


@pytest.fixture
async def opened() -> AsyncIterator[tuple[BlobStore, Collections]]:
    async with mongo_address() as address, address.open() as stores, address.inside() as inside:
        yield stores.blobs, inside


@pytest.fixture
def blobs(opened: tuple[BlobStore, Collections]) -> BlobStore:
    return opened[0]


@pytest.fixture
def inside(opened: tuple[BlobStore, Collections]) -> Collections:
    return opened[1]


async def counts(inside: Collections) -> tuple[int, int]:
    return await inside.blob_files.count_documents({}), await inside.blob_chunks.count_documents({})


async def put(blobs: BlobStore, *parts: bytes, keep_until: datetime = KEEP_UNTIL) -> None:
    await blobs.put("key", chunks(*parts), content_type=PNG, keep_until=keep_until)


async def test_a_range_is_read_without_the_chunks_outside_it(blobs: BlobStore, inside: Collections) -> None:
    await put(blobs, b"a" * CHUNK, b"b" * CHUNK, b"c" * CHUNK, b"d")
    await inside.blob_chunks.delete_many({"n": {"$in": [0, 3]}})
    assert await collect(blobs.read("key", start=2 * CHUNK - 2, stop=2 * CHUNK + 1)) == b"bbc"
    with pytest.raises(NotFoundError):
        await collect(blobs.read("key", start=2 * CHUNK, stop=3 * CHUNK + 1))


async def test_replacing_a_blob_keeps_nothing_of_the_old_one(blobs: BlobStore, inside: Collections) -> None:
    await put(blobs, b"a" * 3 * CHUNK)
    await put(blobs, b"new")
    assert await counts(inside) == (1, 1)
    assert await collect(blobs.read("key", start=0, stop=100)) == b"new"


@pytest.mark.parametrize("error", [RuntimeError("provider broke off"), asyncio.CancelledError()])
async def test_content_that_breaks_off_leaves_the_old_blob_and_nothing_else(
    blobs: BlobStore, inside: Collections, error: BaseException
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * 2 * CHUNK
        raise error

    await put(blobs, b"old")
    with pytest.raises(type(error)):
        await blobs.put("key", broken(), content_type=PNG, keep_until=KEEP_UNTIL)
    assert await counts(inside) == (1, 1)
    assert await collect(blobs.read("key", start=0, stop=100)) == b"old"


async def test_two_that_put_one_key_at_once_leave_one_of_the_two(blobs: BlobStore) -> None:
    await asyncio.gather(put(blobs, b"one"), put(blobs, b"two"))
    assert await collect(blobs.read("key", start=0, stop=3)) in {b"one", b"two"}
    assert await blobs.delete("key")
    assert await blobs.stat("key") is None


async def test_sweeping_takes_the_chunks_along(blobs: BlobStore, inside: Collections) -> None:
    await put(blobs, b"a" * 2 * CHUNK)
    assert await blobs.sweep(KEEP_UNTIL) == 1
    assert await counts(inside) == (0, 0)


async def test_sweeping_takes_the_chunks_of_uploads_that_a_crash_cut_off(blobs: BlobStore, inside: Collections) -> None:
    now = datetime.now(UTC)
    cut_off, running = (ObjectId.from_datetime(now - age) for age in (2 * LONGEST_UPLOAD, timedelta(hours=1)))
    await inside.blob_chunks.insert_many([{"files_id": upload, "n": 0, "data": b""} for upload in (cut_off, running)])
    await put(blobs, b"alive", keep_until=now + LIFETIME)
    assert await blobs.sweep(now) == 0
    assert await inside.blob_chunks.distinct("files_id", {"data": b""}) == [running]
    assert await collect(blobs.read("key", start=0, stop=5)) == b"alive"
