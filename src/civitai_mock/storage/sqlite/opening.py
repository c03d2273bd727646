"""A store in a directory or in memory, from its parts."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite.blobs import SqliteBlobs
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.content import BlobContent
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.directory import FILE_NAME, Directory, files_in, folders_in, opened
from civitai_mock.storage.sqlite.errors import away
from civitai_mock.storage.sqlite.health import SqliteHealth
from civitai_mock.storage.sqlite.job_queries import SqliteJobSearch
from civitai_mock.storage.sqlite.jobs import SqliteJobStore
from civitai_mock.storage.sqlite.memory_content import MemoryContent
from civitai_mock.storage.sqlite.obstacles import foreigner, is_sealed, obstacle
from civitai_mock.storage.sqlite.presence import Presence
from civitai_mock.storage.sqlite.queue import SqliteJobQueue
from civitai_mock.storage.sqlite.resources import SqliteResources
from civitai_mock.storage.sqlite.resources_sql import ResourceStatements
from civitai_mock.storage.sqlite.schema import NewerSchemaError
from civitai_mock.storage.sqlite.secrets import SqliteSecrets
from civitai_mock.storage.sqlite.tables import TableNames
from civitai_mock.storage.sqlite.webhook_outbox import SqliteWebhookOutbox

logger = structlog.stdlib.get_logger()


@asynccontextmanager
async def open_sqlite(*, directory: Path | None, names: TableNames) -> AsyncIterator[Stores]:
    """Open a store, in memory where `directory` is None or where nothing can ever be written to it.

    Raise `TransientError` that names what cannot be opened.
    """
    if directory is not None and is_sealed(directory):
        logger.warning("read-only: nothing is kept", data_dir=str(directory), hint="mount a volume or a tmpfs there")
        directory = None
    async with AsyncExitStack() as stack:
        if directory is None:
            database = Database(connect_memory(names), description="SQLite in memory")
            content: BlobContent = MemoryContent()
            workers = None
        else:
            description = f"SQLite at {directory / FILE_NAME}"
            parts = await _open_in_thread(partial(_open_directory, stack, directory, names, description))
            database = Database(parts.connections, description=description)
            content, workers = parts.content, parts.workers
        stack.push_async_callback(database.close)
        yield _stores(database, names, content, workers)


async def _open_in_thread(open_it: Callable[[], Directory]) -> Directory:
    """It may wait for another process, or upgrade a large file; meanwhile signals are heard.

    Whoever is cancelled waits for the thread, as what it has opened has to be closed.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(open_it))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait([opening])
        if not opening.exception():
            opening.result().connections.close()
        raise


def _open_directory(stack: AsyncExitStack, directory: Path, names: TableNames, description: str) -> Directory:
    """Whatever is out of this user's reach is told here, though some of it is only needed by the first job."""
    parts = [*folders_in(directory), *files_in(directory)]
    if (why := obstacle(directory, parts)) is not None:
        raise away(description, why)
    try:
        return stack.enter_context(opened(directory, names))
    except (sqlite3.Error, OSError, NewerSchemaError) as error:
        whose = foreigner(directory, parts) if isinstance(error, PermissionError) else None
        raise away(description, whose or error) from error


def _stores(database: Database, names: TableNames, content: BlobContent, workers: Presence | None) -> Stores:
    return Stores(
        jobs=SqliteJobStore(database=database, names=names),
        queue=SqliteJobQueue(database=database, names=names, presence=workers),
        search=SqliteJobSearch(database=database, names=names),
        webhooks=SqliteWebhookOutbox(database=database, names=names),
        resources=SqliteResources(database=database, statements=ResourceStatements(names)),
        blobs=SqliteBlobs(database=database, content=content),
        secrets=SqliteSecrets(database=database),
        health=SqliteHealth(database=database, names=names, content=content),
    )
