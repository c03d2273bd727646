"""Health check of a SQLite store: whether the database and the folders beside it can be used now."""

import asyncio
import sqlite3
from functools import partial

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.sqlite.blob_bytes import BlobContent
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.schema import VERSION, TableNames

PING_SECONDS = 3.0
NAME = "health"
SMALL, LARGE = 8, 256 * 1024
TOUCH = "INSERT OR REPLACE INTO secrets (name, value) VALUES (?, randomblob(?))"
LOOK = "SELECT 1 FROM secrets WHERE name = ?"
# They delete nothing, and fail if a table is missing or cannot be searched.
REACH = (
    """DELETE FROM "{jobs}" WHERE epoch = -1 AND id = ''""",
    """DELETE FROM "{jobs} leaves" WHERE epoch = -1 AND leaf = ''""",
    """DELETE FROM "{jobs} requests" WHERE job = -1""",
    """DELETE FROM "{jobs} texts" WHERE job = -1""",
    """DELETE FROM "{jobs} {job_events}" WHERE job = -1""",
    """DELETE FROM "{resources}" WHERE epoch = -1 AND key = ''""",
    "DELETE FROM blobs WHERE epoch = -1 AND key = ''",
)


class SqliteHealth:
    """Does what every job needs: write a row and read it again, reach all tables, and make a file a blob.

    On a full disk a small row may still find room where a larger one does not. So after a write that failed, only a
    write of some size shows that the trouble is over.
    """

    def __init__(self, *, database: Database, names: TableNames, content: BlobContent) -> None:
        self._database = database
        self._reach = tuple(map(names.fill, REACH))
        self._content = content
        self.description = database.description
        self.schema_version = VERSION

    async def ping(self) -> None:
        if self._database.in_trouble:
            await self._write_row(LARGE)
            self._database.in_trouble = False
        await self._write_row(SMALL)
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._content.check()
        except TimeoutError as error:
            raise TransientError(f"The folder of blobs of {self.description} does not answer.") from error

    async def _write_row(self, size: int) -> None:
        """Write the row of this check, which others may write at the same time in any size, and look for it."""
        await self._database.write(partial(self._touch, size))
        if not self._database.read(LOOK, (NAME,)):
            raise TransientError(f"{self.description} does not find what was just written.")

    def _touch(self, size: int, connection: sqlite3.Connection) -> None:
        connection.execute(TOUCH, (NAME, size))
        for statement in self._reach:
            connection.execute(statement)
