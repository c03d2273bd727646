"""Moving what was committed from the log into the database file."""

import asyncio
import sqlite3

import structlog

logger = structlog.stdlib.get_logger()

AFTER_WRITES = 1_000
MAX_LOG_PAGES = 16_384  # of 4 KiB


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
