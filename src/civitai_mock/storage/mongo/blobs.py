"""Blobs in MongoDB, as files of GridFS."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorGridFSBucket, AsyncIOMotorGridIn
from pymongo import DESCENDING

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors

CHUNKS_IN_ONE_ANSWER = 8
SWEPT_AT_ONCE = 500
LONGEST_UPLOAD = timedelta(days=1)
NEWEST_FIRST = [("uploadDate", DESCENDING), ("_id", DESCENDING)]


class MongoBlobStore:
    """Keeps a blob as the newest file of its key; while it is being replaced there are two."""

    def __init__(self, *, bucket: AsyncIOMotorGridFSBucket, files: Collection, chunks: Collection) -> None:
        self._bucket = bucket
        self._files = files
        self._chunks = chunks

    @raises_domain_errors
    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
    ) -> Blob:
        """Upload chunks, then the file's document, so that a file exists only with all of its chunks."""
        upload = self._bucket.open_upload_stream(key)
        try:
            size, etag = await _copy(content, upload)
            await upload.set(
                "metadata", _metadata(content_type=content_type, etag=etag, keep_until=keep_until, owner=owner)
            )
            replaced = await self._file_ids({"filename": key})
        except BaseException:
            await asyncio.shield(upload.abort())
            raise
        await upload.close()
        await self._delete_files(replaced)
        return Blob(key=key, content_type=content_type, size=size, etag=etag, keep_until=keep_until, owner=owner)

    @raises_domain_errors
    async def stat(self, key: str) -> Blob | None:
        file = await self._newest(key)
        return None if file is None else _blob_of(file)

    async def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Fetch only the chunks of the range; the driver's GridOut would ask for all up to the end of the file."""
        with domain_errors():
            file = await self._newest(key)
            if file is None:
                raise _gone(key)
            size, stop = file["chunkSize"], min(stop, file["length"])
            numbers = range(start // size, -(-stop // size))
            async with aclosing(self._chunks_of(file, numbers)) as chunks:
                async for number, data in chunks:
                    yield data[max(start - number * size, 0) : stop - number * size]

    @raises_domain_errors
    async def delete(self, key: str) -> bool:
        files = await self._file_ids({"filename": key})
        await self._delete_files(files)
        return bool(files)

    @raises_domain_errors
    async def sweep(self, now: datetime) -> int:
        swept = 0
        while files := await self._file_ids({"metadata.keepUntil": {"$lte": moment_text(now)}}):
            await self._delete_files(files)
            swept += len(files)
        await self._delete_chunks_of_no_file(now)
        return swept

    async def _newest(self, key: str) -> Document | None:
        return await self._files.find_one({"filename": key}, sort=NEWEST_FIRST)

    async def _file_ids(self, matching: Document) -> list[ObjectId]:
        found = self._files.find(matching, {"_id": 1}).limit(SWEPT_AT_ONCE)
        return [file["_id"] async for file in found]

    async def _delete_files(self, files: Sequence[ObjectId]) -> None:
        """Delete chunks before files, so that what a crash leaves behind can still be found by its file."""
        if files:
            await self._chunks.delete_many({"files_id": {"$in": files}})
            await self._files.delete_many({"_id": {"$in": files}})

    async def _delete_chunks_of_no_file(self, now: datetime) -> None:
        """Delete what is left of uploads that a crash cut off: chunks older than any file and any running upload."""
        oldest = await self._files.find_one({}, {"_id": 1}, sort=[("_id", 1)])
        running = ObjectId.from_datetime(now - LONGEST_UPLOAD)
        bound = min(oldest["_id"], running) if oldest else running
        await self._chunks.delete_many({"files_id": {"$lt": bound}})

    async def _chunks_of(self, file: Document, numbers: range) -> AsyncGenerator[tuple[int, bytes], None]:
        """Yield the numbered chunks of a file; raise `NotFoundError` if they are deleted meanwhile."""
        wanted = {"files_id": file["_id"], "n": {"$gte": numbers.start, "$lt": numbers.stop}}
        found = self._chunks.find(wanted).sort("n").batch_size(CHUNKS_IN_ONE_ANSWER)
        try:
            for number in numbers:
                chunk = await anext(found, None)
                if chunk is None or chunk["n"] != number:
                    raise _gone(file["filename"])
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


def _metadata(*, content_type: str, etag: str, keep_until: datetime, owner: str | None) -> Document:
    return {"contentType": content_type, "etag": etag, "keepUntil": moment_text(keep_until), "owner": owner}


def _blob_of(file: Document) -> Blob:
    metadata = file["metadata"]
    return Blob(
        key=file["filename"],
        content_type=metadata["contentType"],
        size=file["length"],
        etag=metadata["etag"],
        keep_until=parse_moment(metadata["keepUntil"]),
        owner=metadata["owner"],
    )


def _gone(key: str) -> NotFoundError:
    return NotFoundError(f"The blob '{key}' does not exist.")
