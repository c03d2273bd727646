"""What only MongoDB can get wrong about blobs: one document is all of a small one, a large one is many in GridFS."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from civitai_mock.domain.blob import UndrawnBlob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import BlobStore
from civitai_mock.storage.mongo import blobs as blobs_module
from civitai_mock.storage.mongo.blob_files import LONGEST_UPLOAD, BlobFiles
from civitai_mock.storage.mongo.blobs import LARGEST_CONTENT, MongoBlobStore, grouped_undrawn
from civitai_mock.storage.mongo.collections import Collections
from tests.support.dates import START
from tests.support.jobs import LIFETIME, chunks, collect
from tests.support.mongo import Interrupted, mongo_address

pytestmark = pytest.mark.mongo

CHUNK = 255 * 1024
LIMIT = 1000  # above which bytes go into GridFS here
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


@pytest.fixture(autouse=True)
def _low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "LARGEST_CONTENT", LIMIT)


async def counts(inside: Collections) -> tuple[int, int, int]:
    """Return how many blobs, files and chunks there are."""
    blobs, files, chunks = inside.blobs, inside.blob_files, inside.blob_chunks
    return (await blobs.count_documents({}), await files.count_documents({}), await chunks.count_documents({}))


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
    for size, parts in ((2 * CHUNK, (1, 1, 2)), (LIMIT, (1, 0, 0)), (LIMIT + 1, (1, 1, 1))):
        await put(blobs, b"b" * size)
        assert await counts(inside) == parts
        assert await collect(blobs.read("key", start=0, stop=size)) == b"b" * size


async def test_a_small_blob_is_one_document(blobs: BlobStore, inside: Collections) -> None:
    await put(blobs, b"a" * (LIMIT - 1), b"b")
    assert await counts(inside) == (1, 0, 0)
    document = await inside.blobs.find_one({"_id": "key"})
    assert document is not None
    assert document["content"] == b"a" * (LIMIT - 1) + b"b"


def test_the_largest_document_is_within_the_limit_of_mongodb() -> None:
    assert LARGEST_CONTENT < 16 * 1024 * 1024 - 64 * 1024


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
    assert await counts(inside) == (1, 0, 0)
    assert await collect(blobs.read("key", start=0, stop=100)) == b"old"


async def test_two_that_put_one_key_at_once_leave_one_of_the_two(blobs: BlobStore) -> None:
    await asyncio.gather(put(blobs, b"one"), put(blobs, b"two"))
    assert await collect(blobs.read("key", start=0, stop=3)) in {b"one", b"two"}
    assert await blobs.delete("key")
    assert await blobs.stat("key") is None


async def test_sweeping_takes_the_chunks_along(blobs: BlobStore, inside: Collections) -> None:
    await put(blobs, b"a" * 2 * CHUNK)
    assert await blobs.sweep(KEEP_UNTIL) == 1
    assert await counts(inside) == (0, 0, 0)


async def test_sweeping_takes_the_chunks_of_uploads_that_a_crash_cut_off(blobs: BlobStore, inside: Collections) -> None:
    now = datetime.now(UTC)
    cut_off, running = (ObjectId.from_datetime(now - age) for age in (2 * LONGEST_UPLOAD, timedelta(hours=1)))
    await inside.blob_chunks.insert_many([{"files_id": upload, "n": 0, "data": b""} for upload in (cut_off, running)])
    await put(blobs, bytes(2 * LIMIT), keep_until=now + LIFETIME)
    assert await blobs.sweep(now) == 0
    assert await inside.blob_chunks.distinct("files_id", {"data": b""}) == [running]
    assert await collect(blobs.read("key", start=0, stop=2 * LIMIT)) == bytes(2 * LIMIT)


async def test_sweeping_takes_files_that_no_blob_has_any_more(blobs: BlobStore, inside: Collections) -> None:
    """A crash leaves one behind, and so does an image to be drawn that takes the place of a file."""
    await put(blobs, bytes(2 * LIMIT))
    undrawn = UndrawnBlob(key="key", content_type=PNG, recipe="{}", keep_until=KEEP_UNTIL + LIFETIME)
    await blobs.put_undrawn([undrawn])
    assert await counts(inside) == (1, 1, 1)
    assert await blobs.sweep(KEEP_UNTIL) == 0
    assert await counts(inside) == (1, 0, 0)
    assert await blobs.stat("key") == undrawn


@pytest.mark.parametrize("size", [LIMIT, 2 * LIMIT])
async def test_what_cannot_take_the_place_of_a_recipe_leaves_no_file(
    blobs: BlobStore, inside: Collections, size: int
) -> None:
    gone = UndrawnBlob(key="key", content_type=PNG, recipe="{}", keep_until=KEEP_UNTIL)
    assert await blobs.fill(gone, chunks(bytes(size))) is None
    assert await counts(inside) == (0, 0, 0)


async def test_images_of_jobs_that_end_at_once_are_one_command_or_two(inside: Collections) -> None:
    """Each alone would be the largest part of the commands of a simulated job."""
    writes: list[int] = []

    class Counted(Interrupted):
        async def _interrupt(self, call: Any, *args: Any, **kwargs: Any) -> object:
            writes.append(len(args[0]))
            return await call(*args, **kwargs)

    counted: Any = Counted(inside.blobs, "bulk_write")
    files = BlobFiles(bucket=counted, files=counted, chunks=counted)
    store = MongoBlobStore(epoch=Epoch(), blobs=counted, files=files, undrawn=grouped_undrawn(counted))
    blobs = [UndrawnBlob(key=str(n), content_type=PNG, recipe="{}", keep_until=KEEP_UNTIL) for n in range(20)]
    await asyncio.gather(*(store.put_undrawn([blob]) for blob in blobs))
    assert [await store.stat(blob.key) for blob in blobs] == blobs
    assert sum(writes) == 20
    assert len(writes) <= 2


async def test_a_drawn_image_may_be_too_large_for_a_document(blobs: BlobStore, inside: Collections) -> None:
    undrawn = UndrawnBlob(key="key", content_type=PNG, recipe="{}", keep_until=KEEP_UNTIL)
    await blobs.put_undrawn([undrawn])
    filled = await blobs.fill(undrawn, chunks(bytes(2 * LIMIT)))
    assert await blobs.stat("key") == filled
    assert await counts(inside) == (1, 1, 1)
    assert await collect(blobs.read("key", start=0, stop=2 * LIMIT)) == bytes(2 * LIMIT)
