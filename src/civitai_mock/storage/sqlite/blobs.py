"""Blobs: a row of each in SQLite, its bytes beside it."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.storage.sqlite.blob_bytes import BlobContent, Upload
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, from_micros, to_micros

T = TypeVar("T")

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)  # as keys become file names
SWEEP_BATCH = 32  # files, which a write unlinks while others wait
GET = "SELECT key, content_type, size, etag, keep_until, owner FROM blobs WHERE key = ?"
PUT = "INSERT OR REPLACE INTO blobs (key, content_type, size, etag, keep_until, owner) VALUES (?, ?, ?, ?, ?, ?)"
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
    ) -> Blob:
        if not KEY_PATTERN.fullmatch(key):
            raise ValueError(f"'{key}' cannot be the key of a blob")
        upload = await self._content.receive(key, content)
        blob = Blob(
            key=key,
            content_type=content_type,
            size=upload.size,
            etag=upload.etag,
            keep_until=keep_until,
            owner=owner,
        )
        try:
            await self._write(partial(self._keep, blob, upload))
        finally:
            upload.discard()
        return blob

    def _keep(self, blob: Blob, upload: Upload, connection: sqlite3.Connection) -> None:
        connection.execute(PUT, _row(blob))
        upload.keep()

    async def stat(self, key: str) -> Blob | None:
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


def _row(blob: Blob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, blob.size, blob.etag, to_micros(blob.keep_until), blob.owner)


def _blob_from(row: Row) -> Blob:
    key, content_type, size, etag, keep_until, owner = row
    until = from_micros(keep_until)
    return Blob(key=key, content_type=content_type, size=size, etag=etag, keep_until=until, owner=owner)
