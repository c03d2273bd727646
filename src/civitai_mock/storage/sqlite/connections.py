"""Connections to a SQLite database, and the checkpoints that move what was committed from its log into its file."""

import asyncio
import os
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from civitai_mock.storage.sqlite.schema import TableNames, create_schema

OLDEST_SQLITE = (3, 35, 0)  # has RETURNING
BUSY_SECONDS = 5.0

logger = structlog.stdlib.get_logger()

AFTER_WRITES = 1_000
MAX_LOG_PAGES = 16_384  # of 4 KiB


class MissingFileError(OSError):
    """What was written cannot be found again: SQLite goes on with a file that nobody can open any more."""


class OpenFiles:
    """The database and its log, which have to stay the ones that were opened, and the database as long as it is."""

    def __init__(self, path: Path) -> None:
        database, log = str(path), f"{path}-wal"
        self._database = database
        self._opened = {file: _identity(file)[0] for file in (database, log)}
        self._size = _identity(database)[1]

    def check(self) -> None:
        """Raise `MissingFileError` if one of them was deleted, moved, replaced or overwritten with less."""
        for file, opened in self._opened.items():
            found, size = _identity(file)
            if found != opened:
                raise MissingFileError(
                    f"{file} was deleted, moved or replaced while it was open; restart to use what is there"
                )
            if file == self._database:
                self._check_size(size)

    def _check_size(self, size: int) -> None:
        """SQLite never gives back what it has taken, unless it is told to tidy up (VACUUM)."""
        if size < self._size:
            raise MissingFileError(f"{self._database} was overwritten while it was open; restart to use what is there")
        self._size = size


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """One for each use, so that none waits for another; in memory there is only one, for every use, and no file."""

    writer: sqlite3.Connection
    reader: sqlite3.Connection
    scanner: sqlite3.Connection
    checkpointer: sqlite3.Connection
    files: OpenFiles | None = None

    @property
    def in_memory(self) -> bool:
        return self.reader is self.writer

    def close(self) -> None:
        """The writer last: the last to leave tidies the file up."""
        for connection in (self.checkpointer, self.scanner, self.reader, self.writer):
            connection.close()


def connect_memory(names: TableNames) -> Connections:
    connection = _connect(":memory:")
    create_schema(connection, names)
    return Connections(writer=connection, reader=connection, scanner=connection, checkpointer=connection)


def connect_file(path: Path, names: TableNames) -> Connections:
    """Make the tables that are missing, and leave no connection open if that fails."""
    with ExitStack() as opened:
        writer, reader, scanner, checkpointer = (opened.enter_context(closing(_connect(str(path)))) for _ in range(4))
        create_schema(writer, names)
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("PRAGMA busy_timeout = 0")
        for connection in (reader, scanner):
            connection.execute("PRAGMA query_only = ON")
        files = OpenFiles(path)
        opened.pop_all()
    return Connections(writer=writer, reader=reader, scanner=scanner, checkpointer=checkpointer, files=files)


def _identity(file: str) -> tuple[tuple[int, int] | None, int]:
    """Which file it is, None for none, and its size."""
    try:
        found = os.stat(file)  # noqa: PTH116 - once for each group of writes, and twice as fast
    except FileNotFoundError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size


def _connect(database: str) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise sqlite3.NotSupportedError(f"SQLite 3.35 or later is needed, this Python has {sqlite3.sqlite_version}")
    connection = sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")  # each: a connection that has not seen it makes no checkpoint
    # What is committed survives the death of the process; if the machine loses power, the last moments may be lost, and
    # the database stays whole.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


class Checkpointer:
    """The one part that waits for the disk (fsync), so it has a thread and a connection of its own."""

    def __init__(
        self, connection: sqlite3.Connection, *, after_writes: int = AFTER_WRITES, max_log_pages: int = MAX_LOG_PAGES
    ) -> None:
        self._connection = connection
        self._after_writes = after_writes
        self._max_log_pages = max_log_pages
        self._writes = 0
        self._running: asyncio.Future[None] | None = None

    def wrote(self, count: int) -> None:
        """Start a checkpoint if enough was written since the last."""
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
            # Without a pause between writes the log never starts again from its beginning: make one.
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def _finished(self, running: asyncio.Future[None]) -> None:
        self._running = None
        if not running.cancelled() and (error := running.exception()):
            # Nothing is lost, the log only grows; the next writes tell their callers if the disk is at fault.
            logger.warning("checkpoint failed", error=str(error))
