"""Blobs in MongoDB: a document of each, with its bytes in it; those of a large one are a file of GridFS."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TypeAlias

from pymongo import ReplaceOne

from civitai_mock.domain.blob import Blob, BlobFacts, UndrawnBlob, etag_of
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.services.streams import chained, in_chunks
from civitai_mock.storage.mongo.blob_files import SWEPT_AT_ONCE, BlobFiles
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import (
    json_text,
    key_in,
    moment_text,
    name_of,
    parse_json_object,
    parse_moment,
)
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.grouping import Grouped

# A document may have 16 MiB. Half of it leaves no doubt, takes an image of 2048x2048, and is what a slow reader holds.
LARGEST_CONTENT = 8 * 1024 * 1024
JOBS_IN_ONE_WRITE = 500
FILE_ONLY = {"file": 1}


UndrawnWrites: TypeAlias = Grouped[Sequence[Document], None]


def grouped_undrawn(blobs: Collection) -> UndrawnWrites:
    """Return what writes the undrawn blobs of all epochs; whoever made it drains it.

    They take the place of what was there before, of which only a sweep finds a file again: nearly always there is none.
    """

    async def replace(groups: Sequence[Sequence[Document]]) -> Sequence[None]:
        documents = [document for group in groups for document in group]
        writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        await blobs.bulk_write(writes, ordered=False)
        return [None] * len(groups)

    return Grouped(replace, limit=JOBS_IN_ONE_WRITE)


class MongoBlobStore:
    """Puts a blob with one command: its document says which bytes are its own, so that they change all at once."""

    def __init__(self, *, epoch: Epoch, blobs: Collection, files: BlobFiles, undrawn: UndrawnWrites) -> None:
        self._epoch = epoch
        self._blobs = blobs
        self._files = files
        self._undrawn = undrawn

    @raises_domain_errors
    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
        facts: BlobFacts | None = None,
        fault: ReadOnlyJson | None = None,
    ) -> Blob:
        members = await self._store(key, content, keep_until=keep_until)
        blob = Blob(
            key=key,
            content_type=content_type,
            size=members["size"],
            etag=members["etag"],
            keep_until=keep_until,
            owner=owner,
            facts=facts,
            fault=fault,
        )
        try:
            document = {**self._common_members(blob), **members}
            itself = {"_id": document["_id"]}
            before = await self._blobs.find_one_and_replace(itself, document, upsert=True, projection=FILE_ONLY)
        except BaseException:
            await self._delete_file(members)
            raise
        await self._delete_file(before)
        return blob

    @raises_domain_errors
    async def put_undrawn(self, blobs: Sequence[UndrawnBlob]) -> None:
        await self._undrawn([{**self._common_members(blob), "recipe": blob.recipe} for blob in blobs])

    @raises_domain_errors
    async def describe(self, key: str, facts: BlobFacts, *, keep_until: datetime) -> bool:
        """Have the file kept as long first: a blob is never without its bytes."""
        before = await self._blobs.find_one(self._itself(key), FILE_ONLY)
        if before is None:
            return False
        if "file" in before:
            await self._files.keep(before["file"], until=keep_until)
        change = {"$set": {"facts": facts.to_json(), "keepUntil": moment_text(keep_until)}}
        return (await self._blobs.update_one(before, change)).matched_count == 1

    @raises_domain_errors
    async def set_fault(self, key: str, fault: ReadOnlyJson, *, before: ReadOnlyJson | None) -> bool:
        has_before = {**self._itself(key), "fault": None if before is None else json_text(before)}
        return (await self._blobs.update_one(has_before, {"$set": {"fault": json_text(fault)}})).matched_count == 1

    @raises_domain_errors
    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        members = await self._store(blob.key, content, keep_until=blob.keep_until)
        change = {"$set": members, "$unset": {"recipe": ""}}
        is_filled = False
        try:
            changed = await self._blobs.update_one({**self._itself(blob.key), "recipe": blob.recipe}, change)
            is_filled = changed.matched_count == 1
        finally:
            if not is_filled:
                await self._delete_file(members)
        return blob.filled(size=members["size"], etag=members["etag"]) if is_filled else None

    @raises_domain_errors
    async def stat(self, key: str) -> Blob | UndrawnBlob | None:
        document = await self._blobs.find_one(self._itself(key), {"content": 0})
        return None if document is None else blob_of(document)

    async def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        with domain_errors():
            document = await self._blobs.find_one(self._itself(key), {"content": 1, "file": 1})
            if document is None or not ("content" in document or "file" in document):
                raise NotFoundError(f"The blob '{key}' does not exist.")
            if "file" in document:
                async with aclosing(self._files.read(document["file"], start=start, stop=stop)) as parts:
                    async for part in parts:
                        yield part
                return
        async for part in in_chunks(document["content"], start=start, stop=stop):
            yield part

    @raises_domain_errors
    async def delete(self, key: str) -> bool:
        document = await self._blobs.find_one_and_delete(self._itself(key), projection=FILE_ONLY)
        await self._delete_file(document)
        return document is not None

    @raises_domain_errors
    async def sweep(self, now: datetime) -> int:
        """Delete files before their documents, so that what a crash leaves behind is found again."""
        epoch, swept = self._epoch.number, 0
        over = {"epoch": epoch, "keepUntil": {"$lte": moment_text(now)}}
        while found := await self._blobs.find(over, FILE_ONLY).limit(SWEPT_AT_ONCE).to_list():
            await self._files.delete([document["file"] for document in found if "file" in document])
            deleted = await self._blobs.delete_many({"_id": {"$in": [document["_id"] for document in found]}, **over})
            swept += deleted.deleted_count
        await self._files.sweep(now, epoch=epoch)
        return swept

    async def _store(self, key: str, content: AsyncIterator[bytes], *, keep_until: datetime) -> Document:
        """Return the members that hold bytes; what is too large for a document is uploaded first."""
        beginning, is_all = await _read_up_to(content, LARGEST_CONTENT)
        if is_all:
            etag = etag_of(hashlib.sha256(beginning).hexdigest())
            return {"size": len(beginning), "etag": etag, "content": beginning}
        epoch = self._epoch.number
        file = await self._files.upload(key, chained(beginning, content), keep_until=keep_until, epoch=epoch)
        return {"size": file.size, "etag": file.etag, "file": file.id}

    async def _delete_file(self, document: Document | None) -> None:
        if document is not None and "file" in document:
            await self._files.delete([document["file"]])

    def _itself(self, key: str) -> Document:
        return {"_id": key_in(self._epoch.number, key)}

    def _common_members(self, blob: Blob | UndrawnBlob) -> Document:
        epoch = self._epoch.number
        return {
            "_id": key_in(epoch, blob.key),
            "epoch": epoch,
            "contentType": blob.content_type,
            "keepUntil": moment_text(blob.keep_until),
            "owner": blob.owner,
            **({"facts": blob.facts.to_json()} if blob.facts else {}),
            **({"fault": json_text(blob.fault)} if blob.fault is not None else {}),
        }


async def _read_up_to(content: AsyncIterator[bytes], size: int) -> tuple[bytes, bool]:
    """Return all of the content, or its beginning if it has more bytes than `size`, and whether it is all."""
    parts, length = [], 0
    async for part in content:
        parts.append(part)
        length += len(part)
        if length > size:
            return b"".join(parts), False
    return b"".join(parts), True


def blob_of(document: Document) -> Blob | UndrawnBlob:
    undrawn = UndrawnBlob(
        key=name_of(document["_id"]),
        content_type=document["contentType"],
        recipe=document.get("recipe", ""),
        keep_until=parse_moment(document["keepUntil"]),
        owner=document["owner"],
        facts=BlobFacts.from_json(document["facts"]) if "facts" in document else None,
        fault=parse_json_object(document["fault"]) if "fault" in document else None,
    )
    return undrawn if "recipe" in document else undrawn.filled(size=document["size"], etag=document["etag"])
