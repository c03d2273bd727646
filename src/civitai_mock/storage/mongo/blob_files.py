"""The bytes of blobs that are too large for one document, as files of GridFS."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorGridFSBucket, AsyncIOMotorGridIn

from civitai_mock.domain.blob import etag_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.storage.mongo.collections import Collection
from civitai_mock.storage.mongo.encoding import moment_text

CHUNKS_IN_ONE_ANSWER = 8
SWEPT_AT_ONCE = 500
LONGEST_UPLOAD = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Is a file that was uploaded; the document of its blob names its `id`."""

    id: ObjectId
    size: int
    etag: str


class BlobFiles:
    """Stores files, which are found by their id: only the document of a blob says which one is its own."""

    def __init__(self, *, bucket: AsyncIOMotorGridFSBucket, files: Collection, chunks: Collection) -> None:
        self._bucket = bucket
        self._files = files
        self._chunks = chunks

    async def upload(self, key: str, content: AsyncIterator[bytes], *, keep_until: datetime, epoch: int) -> StoredFile:
        """Upload chunks, then the file's document, so that a file exists only with all of its chunks."""
        metadata = {"epoch": epoch, "keepUntil": moment_text(keep_until)}
        upload = self._bucket.open_upload_stream(key, metadata=metadata)
        try:
            size, digest = await _copy(content, upload)
        except BaseException:
            await asyncio.shield(upload.abort())
            raise
        await upload.close()
        return StoredFile(id=upload._id, size=size, etag=etag_of(digest))  # noqa: SLF001 - GridFS has no other name

    async def read(self, file_id: ObjectId, *, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Fetch only the chunks of the range; the driver's GridOut would ask for all up to the end of the file."""
        file = await self._files.find_one({"_id": file_id})
        if file is None:
            raise _gone()
        size, stop = file["chunkSize"], min(stop, file["length"])
        numbers = range(start // size, -(-stop // size))
        async with aclosing(self._chunks_of(file_id, numbers)) as chunks:
            async for number, data in chunks:
                yield data[max(start - number * size, 0) : stop - number * size]

    async def keep(self, file_id: ObjectId, *, until: datetime) -> None:
        """Change how long a file is kept if no blob names it any more."""
        await self._files.update_one({"_id": file_id}, {"$set": {"metadata.keepUntil": moment_text(until)}})

    async def delete(self, files: Sequence[ObjectId]) -> None:
        """Delete chunks before files, so that what a crash leaves behind can still be found by its file."""
        if files:
            await self._chunks.delete_many({"files_id": {"$in": files}})
            await self._files.delete_many({"_id": {"$in": files}})

    async def sweep(self, now: datetime, *, epoch: int) -> None:
        """Delete what crashes left behind: files whose blobs have other bytes or are gone, and parts of files."""
        left = {"metadata.epoch": epoch, "metadata.keepUntil": {"$lte": moment_text(now)}}
        while files := [file["_id"] async for file in self._files.find(left, {"_id": 1}).limit(SWEPT_AT_ONCE)]:
            await self.delete(files)
        await self._delete_chunks_of_no_file()

    async def _delete_chunks_of_no_file(self) -> None:
        """Delete what is left of uploads that a crash cut off: chunks older than any file and any running upload.

        Their ids are drawn in real time.
        """
        oldest = await self._files.find_one({}, {"_id": 1}, sort=[("_id", 1)])
        running = ObjectId.from_datetime(datetime.now(UTC) - LONGEST_UPLOAD)
        bound = min(oldest["_id"], running) if oldest else running
        await self._chunks.delete_many({"files_id": {"$lt": bound}})

    async def _chunks_of(self, file_id: ObjectId, numbers: range) -> AsyncGenerator[tuple[int, bytes], None]:
        """Yield the numbered chunks of a file; raise `NotFoundError` if they are deleted meanwhile."""
        wanted = {"files_id": file_id, "n": {"$gte": numbers.start, "$lt": numbers.stop}}
        found = self._chunks.find(wanted).sort("n").batch_size(CHUNKS_IN_ONE_ANSWER)
        try:
            for number in numbers:
                chunk = await anext(found, None)
                if chunk is None or chunk["n"] != number:
                    raise _gone()
                yield number, chunk["data"]
        finally:
            await found.close()


async def _copy(content: AsyncIterator[bytes], upload: AsyncIOMotorGridIn) -> tuple[int, str]:
    """Copy content into an upload, and return its size and digest."""
    digest, size = hashlib.sha256(), 0
    async for piece in content:
        digest.update(piece)
        size += len(piece)
        await upload.write(piece)
    return size, digest.hexdigest()


def _gone() -> NotFoundError:
    return NotFoundError("The blob does not exist any more.")
