"""Blobs: a row of each in SQLite, its bytes beside it; an undrawn one is only a row."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import orjson

from civitai_mock.domain.blob import KEY_PATTERN, Blob, BlobFacts, UndrawnBlob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.storage.sqlite.blob_bytes import BlobContent, Upload
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, to_json

T = TypeVar("T")

SWEEP_BATCH = 32  # files, which a write unlinks while others wait
UNKNOWN_SIZE_AND_ETAG = (0, "")  # as the columns cannot be NULL
# The columns that `blob_from` reads.
SELECT = "SELECT key, content_type, size, etag, keep_until, owner, recipe, facts, fault FROM blobs "
GET = SELECT + "WHERE epoch = ? AND key = ?"
PUT = """
    INSERT OR REPLACE INTO blobs (epoch, key, content_type, size, etag, keep_until, owner, recipe, facts, fault)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
PUT_NEW = """
    INSERT OR IGNORE INTO blobs (epoch, key, content_type, size, etag, keep_until, owner, recipe, facts, fault)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
DESCRIBE = "UPDATE blobs SET facts = ?, keep_until = ? WHERE epoch = ? AND key = ?"
SET_FAULT = "UPDATE blobs SET fault = ? WHERE epoch = ? AND key = ? AND fault IS ?"
FILL = "UPDATE blobs SET size = ?, etag = ?, recipe = NULL WHERE epoch = ? AND key = ? AND recipe = ?"
DELETE = "DELETE FROM blobs WHERE epoch = ? AND key = ?"
EXPIRED = "SELECT key FROM blobs WHERE epoch = ? AND keep_until <= ? ORDER BY keep_until LIMIT ?"


class SqliteBlobStore:
    """Keeps and removes bytes within the transaction of their row, so that row and bytes always agree."""

    def __init__(self, *, database: Database, epoch: Epoch, content: BlobContent) -> None:
        self._database = database
        self._epoch = epoch
        self._content = content

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
        _check_key(key)
        epoch = self._epoch.number
        upload = await self._content.receive(epoch, key, content)
        blob = Blob(
            key=key,
            content_type=content_type,
            size=upload.size,
            etag=upload.etag,
            keep_until=keep_until,
            owner=owner,
            facts=facts,
            fault=fault,
        )
        try:
            await self._write(partial(self._keep, epoch, blob, upload))
        finally:
            upload.discard()
        return blob

    def _keep(self, epoch: int, blob: Blob, upload: Upload, connection: sqlite3.Connection) -> None:
        connection.execute(PUT, (epoch, *_row(blob)))
        upload.keep()

    async def put_undrawn(self, blobs: Sequence[UndrawnBlob]) -> None:
        for blob in blobs:
            _check_key(blob.key)
        await self._database.write(partial(self._put_undrawn, self._epoch.number, blobs), epoch=self._epoch)

    def _put_undrawn(self, epoch: int, blobs: Sequence[UndrawnBlob], connection: sqlite3.Connection) -> None:
        """Nearly always a key is new, and there are no bytes to remove, which can be done again."""
        for blob in blobs:
            row = (epoch, *_undrawn_row(blob))
            if connection.execute(PUT_NEW, row).rowcount == 0:
                connection.execute(PUT, row)
                self._content.remove(epoch, blob.key)

    async def describe(self, key: str, facts: BlobFacts, *, keep_until: datetime) -> bool:
        described = (_facts_text(facts), to_micros(keep_until), self._epoch.number, key)
        return await self._write(lambda connection: connection.execute(DESCRIBE, described).rowcount == 1)

    async def set_fault(self, key: str, fault: ReadOnlyJson, *, before: ReadOnlyJson | None) -> bool:
        kept = (_fault_text(fault), self._epoch.number, key, _fault_text(before))
        return await self._write(lambda connection: connection.execute(SET_FAULT, kept).rowcount == 1)

    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        epoch = self._epoch.number
        upload = await self._content.receive(epoch, blob.key, content)
        try:
            is_filled = await self._write(partial(self._fill, epoch, blob, upload))
        finally:
            upload.discard()
        return blob.filled(size=upload.size, etag=upload.etag) if is_filled else None

    def _fill(self, epoch: int, blob: UndrawnBlob, upload: Upload, connection: sqlite3.Connection) -> bool:
        filled = (upload.size, upload.etag, epoch, blob.key, blob.recipe)
        is_filled = connection.execute(FILL, filled).rowcount == 1
        if is_filled:
            upload.keep()
        return is_filled

    async def stat(self, key: str) -> Blob | UndrawnBlob | None:
        rows = self._database.read(GET, (self._epoch.number, key))
        return blob_from(rows[0]) if rows else None

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        if not KEY_PATTERN.fullmatch(key):
            raise NotFoundError(f"The blob '{key}' does not exist.")
        return self._content.read(self._epoch.number, key, start=start, stop=stop)

    async def delete(self, key: str) -> bool:
        return await self._write(partial(self._delete, self._epoch.number, key))

    def _delete(self, epoch: int, key: str, connection: sqlite3.Connection) -> bool:
        known = connection.execute(DELETE, (epoch, key)).rowcount == 1
        if known:
            self._content.remove(epoch, key)
        return known

    async def sweep(self, now: datetime) -> int:
        swept, batch = 0, SWEEP_BATCH
        while batch == SWEEP_BATCH:
            batch = await self._write(partial(self._sweep_batch, self._epoch.number, to_micros(now)))
            swept += batch
        return swept

    async def _write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        return await self._database.write(operation, is_repeatable=self._content.is_repeatable, epoch=self._epoch)

    def _sweep_batch(self, epoch: int, now: int, connection: sqlite3.Connection) -> int:
        keys = [key for (key,) in connection.execute(EXPIRED, (epoch, now, SWEEP_BATCH)).fetchall()]
        for key in keys:
            self._delete(epoch, key, connection)
        return len(keys)


def _check_key(key: str) -> None:
    if not KEY_PATTERN.fullmatch(key):
        raise ValueError(f"'{key}' cannot be the key of a blob")


def _row(blob: Blob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, blob.size, blob.etag, *_later_columns(blob, recipe=None))


def _undrawn_row(blob: UndrawnBlob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, *UNKNOWN_SIZE_AND_ETAG, *_later_columns(blob, recipe=blob.recipe))


def _later_columns(blob: Blob | UndrawnBlob, *, recipe: str | None) -> tuple[Value, ...]:
    return (to_micros(blob.keep_until), blob.owner, recipe, _facts_text(blob.facts), _fault_text(blob.fault))


def _facts_text(facts: BlobFacts | None) -> str | None:
    return None if facts is None else to_json(facts.to_json())


def _fault_text(fault: ReadOnlyJson | None) -> str | None:
    return None if fault is None else to_json(dict(fault))


def blob_from(row: Row) -> Blob | UndrawnBlob:
    key, content_type, size, etag, keep_until, owner, recipe, known, decided = row
    until = from_micros(keep_until)
    facts = None if known is None else BlobFacts.from_json(orjson.loads(known))
    fault = None if decided is None else orjson.loads(decided)
    undrawn = UndrawnBlob(
        key=key,
        content_type=content_type,
        recipe=recipe or "",
        keep_until=until,
        owner=owner,
        facts=facts,
        fault=fault,
    )
    return undrawn.filled(size=size, etag=etag) if recipe is None else undrawn
