"""Connections to a SQLite database, and the checkpoints that move what was committed from its log into its file."""

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.upgrade import create_schema

OLDEST_SQLITE = (3, 35, 0)  # has RETURNING
BUSY_SECONDS = 5.0

logger = structlog.stdlib.get_logger()

AFTER_WRITES = 1_000
# Holds the upper pages of every index and what was just written; the rest is in the cache of the operating system.
CACHE_KIB = 4096
MAX_LOG_PAGES = 16_384  # of 4 KiB


class MissingFileError(OSError):
    """Raised if SQLite writes to a file that nobody can open any more, so that no write could be found again."""


class OpenFiles:
    """Checks that the database and its log are still the files that were opened, and that none was cut short."""

    def __init__(self, path: Path) -> None:
        database, log = str(path), f"{path}-wal"
        self._database = database
        self._opened = {file: _identity(file)[0] for file in (database, log)}
        self._size = _identity(database)[1]

    def check(self) -> None:
        """Raise `MissingFileError` if a file was deleted, moved or replaced, or the database overwritten with less."""
        for file, opened in self._opened.items():
            found, size = _identity(file)
            if found != opened:
                raise MissingFileError(
                    f"{file} was deleted, moved or replaced while it was open; restart to use what is there"
                )
            if file == self._database:
                self._check_size(size)

    def _check_size(self, size: int) -> None:
        """Refuse a database that has shrunk: SQLite never gives space back, except for VACUUM."""
        if size < self._size:
            raise MissingFileError(f"{self._database} was overwritten while it was open; restart to use what is there")
        self._size = size


class CountingConnection(sqlite3.Connection):
    """Counts the statements that it was given; SQLite's own trace callback would print each, with all values."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.statements = 0

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        self.statements += 1
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """Count a statement for each row."""
        rows = list(parameters)
        self.statements += len(rows)
        return super().executemany(sql, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Holds one connection for each use, so that none waits for another; in memory one serves all, without a file."""

    writer: CountingConnection
    reader: CountingConnection
    scanner: CountingConnection
    checkpointer: CountingConnection
    files: OpenFiles | None = None

    @property
    def in_memory(self) -> bool:
        return self.reader is self.writer

    @property
    def statements(self) -> int:
        """Return how many statements all of them were given."""
        return sum(connection.statements for connection in self._distinct)

    @property
    def _distinct(self) -> frozenset[CountingConnection]:
        return frozenset((self.writer, self.reader, self.scanner, self.checkpointer))

    def close(self) -> None:
        """Close the writer last, as the last connection to close tidies the file up."""
        for connection in (self.checkpointer, self.scanner, self.reader, self.writer):
            connection.close()


def connect_memory(names: TableNames) -> Connections:
    connection = _connect(":memory:")
    create_schema(connection, names)
    return Connections(writer=connection, reader=connection, scanner=connection, checkpointer=connection)


def connect_file(path: Path, names: TableNames) -> Connections:
    """Connect to a file and make the tables that are missing; leave no connection open if that fails."""
    with ExitStack() as opened:
        writer, reader, scanner, checkpointer = (opened.enter_context(closing(_connect(str(path)))) for _ in range(4))
        create_schema(writer, names)
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("PRAGMA busy_timeout = 0")
        # What a savepoint could be rolled back to stays in memory: a file for it took 82 of the 100 kB of a job.
        writer.execute("PRAGMA temp_store = MEMORY")
        for connection in (reader, scanner):
            connection.execute("PRAGMA query_only = ON")
        files = OpenFiles(path)
        opened.pop_all()
    return Connections(writer=writer, reader=reader, scanner=scanner, checkpointer=checkpointer, files=files)


def _identity(file: str) -> tuple[tuple[int, int] | None, int]:
    """Return which file it is (None if there is none), and its size."""
    try:
        found = os.stat(file)  # noqa: PTH116 - once for each group of writes, and twice as fast
    except FileNotFoundError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size


def _connect(database: str) -> CountingConnection:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise sqlite3.NotSupportedError(f"SQLite 3.35 or later is needed, this Python has {sqlite3.sqlite_version}")
    connection = sqlite3.connect(
        database,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=CountingConnection,
    )
    connection.execute("PRAGMA journal_mode = WAL")  # on each, as a connection that has not seen it makes no checkpoint
    # A commit survives the death of the process. If the machine loses power, the last commits may be lost, but the
    # database stays whole.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


class Checkpointer:
    """Moves committed pages from the log into the file, with a thread and a connection that may wait for the disk."""

    def __init__(
        self, connection: sqlite3.Connection, *, after_writes: int = AFTER_WRITES, max_log_pages: int = MAX_LOG_PAGES
    ) -> None:
        self._connection = connection
        self._after_writes = after_writes
        self._max_log_pages = max_log_pages
        self._writes = 0
        self._running: asyncio.Future[None] | None = None

    def wrote(self, count: int) -> None:
        """Count writes, and start a checkpoint if there were enough since the last."""
        self._writes += count
        if self._writes >= self._after_writes and self._running is None:
            self._writes = 0
            self._running = asyncio.get_running_loop().run_in_executor(None, self._checkpoint)
            self._running.add_done_callback(self._finished)

    async def finish(self) -> None:
        """Wait for the checkpoint that is under way, if any."""
        if self._running is not None:
            await asyncio.wait([self._running])

    def _checkpoint(self) -> None:
        _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages > self._max_log_pages:
            # Without a pause between writes the log never starts again from its beginning, so make one.
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def _finished(self, running: asyncio.Future[None]) -> None:
        self._running = None
        if not running.cancelled() and (error := running.exception()):
            # Nothing is lost, as the log only grows; if the disk is at fault, the next writes fail and say so.
            logger.warning("checkpoint failed", error=str(error))
