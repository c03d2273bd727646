"""Blobs: a row of each in SQLite, its bytes beside it; an undrawn one is only a row."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import orjson

from civitai_mock.domain.blob import KEY_PATTERN, Blob, BlobFacts, UndrawnBlob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.storage.sqlite.blob_bytes import BlobContent, Upload
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, from_micros, to_json, to_micros

T = TypeVar("T")

SWEEP_BATCH = 32  # files, which a write unlinks while others wait
UNKNOWN_SIZE_AND_ETAG = (0, "")  # as the columns cannot be NULL
GET = "SELECT key, content_type, size, etag, keep_until, owner, recipe, facts FROM blobs WHERE key = ?"
PUT = """
    INSERT OR REPLACE INTO blobs (key, content_type, size, etag, keep_until, owner, recipe, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
PUT_NEW = """
    INSERT OR IGNORE INTO blobs (key, content_type, size, etag, keep_until, owner, recipe, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
DESCRIBE = "UPDATE blobs SET facts = ?, keep_until = ? WHERE key = ?"
FILL = "UPDATE blobs SET size = ?, etag = ?, recipe = NULL WHERE key = ? AND recipe = ?"
DELETE = "DELETE FROM blobs WHERE key = ?"
EXPIRED = "SELECT key FROM blobs WHERE keep_until <= ? ORDER BY keep_until LIMIT ?"


class SqliteBlobStore:
    """Keeps and removes bytes within the transaction of their row, so that row and bytes always agree."""

    def __init__(self, *, database: Database, content: BlobContent) -> None:
        self._database = database
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
    ) -> Blob:
        _check_key(key)
        upload = await self._content.receive(key, content)
        blob = Blob(
            key=key,
            content_type=content_type,
            size=upload.size,
            etag=upload.etag,
            keep_until=keep_until,
            owner=owner,
            facts=facts,
        )
        try:
            await self._write(partial(self._keep, blob, upload))
        finally:
            upload.discard()
        return blob

    def _keep(self, blob: Blob, upload: Upload, connection: sqlite3.Connection) -> None:
        connection.execute(PUT, _row(blob))
        upload.keep()

    async def put_undrawn(self, blobs: Sequence[UndrawnBlob]) -> None:
        for blob in blobs:
            _check_key(blob.key)
        await self._database.write(partial(self._put_undrawn, blobs))

    def _put_undrawn(self, blobs: Sequence[UndrawnBlob], connection: sqlite3.Connection) -> None:
        """Nearly always a key is new, and there are no bytes to remove, which can be done again."""
        for blob in blobs:
            row = _undrawn_row(blob)
            if connection.execute(PUT_NEW, row).rowcount == 0:
                connection.execute(PUT, row)
                self._content.remove(blob.key)

    async def describe(self, key: str, facts: BlobFacts, *, keep_until: datetime) -> bool:
        described = (_facts_text(facts), to_micros(keep_until), key)
        return await self._write(lambda connection: connection.execute(DESCRIBE, described).rowcount == 1)

    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        upload = await self._content.receive(blob.key, content)
        try:
            is_filled = await self._write(partial(self._fill, blob, upload))
        finally:
            upload.discard()
        return blob.filled(size=upload.size, etag=upload.etag) if is_filled else None

    def _fill(self, blob: UndrawnBlob, upload: Upload, connection: sqlite3.Connection) -> bool:
        is_filled = connection.execute(FILL, (upload.size, upload.etag, blob.key, blob.recipe)).rowcount == 1
        if is_filled:
            upload.keep()
        return is_filled

    async def stat(self, key: str) -> Blob | UndrawnBlob | None:
        rows = self._database.read(GET, (key,))
        return _blob_from(rows[0]) if rows else None

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        if not KEY_PATTERN.fullmatch(key):
            raise NotFoundError(f"The blob '{key}' does not exist.")
        return self._content.read(key, start=start, stop=stop)

    async def delete(self, key: str) -> bool:
        return await self._write(partial(self._delete, key))

    def _delete(self, key: str, connection: sqlite3.Connection) -> bool:
        known = connection.execute(DELETE, (key,)).rowcount == 1
        if known:
            self._content.remove(key)
        return known

    async def sweep(self, now: datetime) -> int:
        swept, batch = 0, SWEEP_BATCH
        while batch == SWEEP_BATCH:
            batch = await self._write(partial(self._sweep_batch, to_micros(now)))
            swept += batch
        return swept

    async def _write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        return await self._database.write(operation, is_repeatable=self._content.is_repeatable)

    def _sweep_batch(self, now: int, connection: sqlite3.Connection) -> int:
        keys = [key for (key,) in connection.execute(EXPIRED, (now, SWEEP_BATCH)).fetchall()]
        for key in keys:
            self._delete(key, connection)
        return len(keys)


def _check_key(key: str) -> None:
    if not KEY_PATTERN.fullmatch(key):
        raise ValueError(f"'{key}' cannot be the key of a blob")


def _row(blob: Blob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, blob.size, blob.etag, *_later_columns(blob, recipe=None))


def _undrawn_row(blob: UndrawnBlob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, *UNKNOWN_SIZE_AND_ETAG, *_later_columns(blob, recipe=blob.recipe))


def _later_columns(blob: Blob | UndrawnBlob, *, recipe: str | None) -> tuple[Value, ...]:
    return (to_micros(blob.keep_until), blob.owner, recipe, _facts_text(blob.facts))


def _facts_text(facts: BlobFacts | None) -> str | None:
    return None if facts is None else to_json(facts.to_json())


def _blob_from(row: Row) -> Blob | UndrawnBlob:
    key, content_type, size, etag, keep_until, owner, recipe, known = row
    until = from_micros(keep_until)
    facts = None if known is None else BlobFacts.from_json(orjson.loads(known))
    if recipe is not None:
        return UndrawnBlob(
            key=key, content_type=content_type, recipe=recipe, keep_until=until, owner=owner, facts=facts
        )
    return Blob(key=key, content_type=content_type, size=size, etag=etag, keep_until=until, owner=owner, facts=facts)
