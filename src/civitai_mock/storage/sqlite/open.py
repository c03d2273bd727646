"""Open a SQLite store, in memory or in a directory that any number of processes share."""

import asyncio
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import structlog
from filelock import BaseFileLock, FileLock, Timeout

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics, NewerSchemaError, Stores
from civitai_mock.storage.sqlite.blob_bytes import BlobContent, FileContent, MemoryContent
from civitai_mock.storage.sqlite.connections import Connections, connect_file, connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.errors import away
from civitai_mock.storage.sqlite.permissions import (
    FILE_MODE,
    foreigner,
    is_private,
    is_sealed,
    make_file,
    make_folder,
    make_folders,
    obstacle,
    tighten,
)
from civitai_mock.storage.sqlite.process_locks import MUTEX, ProcessLocks
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.stores import StoreParts

logger = structlog.stdlib.get_logger()

FILE_NAME = "civitai-mock.db"
BLOBS, UPLOADS, WORKERS = "blobs", "uploads", "workers"
LOCK = "open.lock"
OPEN_SECONDS = 10.0  # in which another process should have opened the directory, unless it upgrades a large file
UPGRADE_SECONDS = 600.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What a process has of an open directory; the caller closes `connections`."""

    connections: Connections
    content: FileContent
    workers: ProcessLocks


@asynccontextmanager
async def open_sqlite(
    *, directory: Path | None, names: TableNames, metrics: Metrics | None = None
) -> AsyncIterator[Stores]:
    """Open a store; it is in memory if `directory` is None or nothing can ever be written to it.

    Raise `TransientError` that names what cannot be opened.
    """
    if directory is not None and is_sealed(directory):
        logger.warning("read-only: nothing is kept", data_dir=str(directory), hint="mount a volume or a tmpfs there")
        directory = None
    async with AsyncExitStack() as stack:
        if directory is None:
            database = Database(connect_memory(names), description="SQLite in memory", metrics=metrics)
            content: BlobContent = MemoryContent()
            workers = None
        else:
            description = f"SQLite at {directory / FILE_NAME}"
            opened = await _open_in_thread(lambda stop: _open_directory(stack, directory, names, description, stop))
            database = Database(opened.connections, description=description, metrics=metrics)
            content, workers = opened.content, opened.workers
        stack.push_async_callback(database.close)
        parts = StoreParts(database=database, names=names, content=content, workers=workers)
        yield parts.in_epoch(Epoch())


async def _open_in_thread(open_it: Callable[[threading.Event], Directory]) -> Directory:
    """Open in a thread, as it may wait for another process or upgrade a large file while signals have to be heard.

    A caller that is cancelled waits for the thread, as what it has opened has to be closed; the event tells the thread
    not to wait any more.
    """
    stop = threading.Event()
    opening = asyncio.ensure_future(asyncio.to_thread(open_it, stop))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([opening])
        if not opening.exception():
            opening.result().connections.close()
        raise


def _open_directory(
    stack: AsyncExitStack, directory: Path, names: TableNames, description: str, stop: threading.Event
) -> Directory:
    """Open a directory; raise `TransientError` for all that this user cannot reach, even if only jobs will need it."""
    parts = [*_folders_in(directory), *_files_in(directory)]
    if (why := obstacle(directory, parts)) is not None:
        raise away(description, why)
    try:
        return stack.enter_context(_opened(directory, names, stop))
    except (sqlite3.Error, OSError, NewerSchemaError) as error:
        whose = foreigner(directory, parts) if isinstance(error, PermissionError) else None
        raise away(description, whose or error) from error


@contextmanager
def _opened(directory: Path, names: TableNames, stop: threading.Event) -> Iterator[Directory]:
    """Open a directory and make what is missing, one process at a time, as two cannot make one new database."""
    make_folders(directory)
    for folder in _folders_in(directory):
        make_folder(folder)
    _tighten_what_was_there(directory)
    make_file(directory / FILE_NAME)  # as the log and the index beside it get the mode of the database
    with ExitStack() as stack:
        workers = ProcessLocks(directory / WORKERS)
        stack.callback(workers.release)
        workers.tidy()
        with _locked(directory, stop):
            incoming = stack.enter_context(_incoming(directory / UPLOADS))
            _refuse_store_of_another_user(directory / FILE_NAME, made_now=incoming)
            connections = connect_file(directory / FILE_NAME, names)
        content = FileContent(folder=directory / BLOBS, incoming=incoming)
        yield Directory(connections=connections, content=content, workers=workers)


@contextmanager
def _locked(directory: Path, stop: threading.Event) -> Iterator[None]:
    """Wait until no other process opens the directory; one that upgrades a large file may take minutes."""
    lock, since, is_logged = FileLock(directory / LOCK, mode=FILE_MODE), time.monotonic(), False
    while not _acquires(lock):
        waited = time.monotonic() - since
        if stop.is_set() or waited >= UPGRADE_SECONDS:
            raise TimeoutError(f"another process has been opening or upgrading it for {waited:.0f} s")
        if waited >= OPEN_SECONDS and not is_logged:
            logger.warning("waiting for another process that opens or upgrades the store", data_dir=str(directory))
            is_logged = True
    try:
        yield
    finally:
        lock.release()


def _acquires(lock: BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=LOOK_SECONDS)
    except Timeout:
        return False
    return True


def _folders_in(directory: Path) -> list[Path]:
    return [directory / name for name in (BLOBS, UPLOADS, WORKERS)]


def _files_in(directory: Path) -> list[Path]:
    names = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", LOCK, f"{WORKERS}/{MUTEX}", f"{UPLOADS}/{MUTEX}")
    return [directory / name for name in names]


def _tighten_what_was_there(directory: Path) -> None:
    """Tighten all that earlier versions left open; the database is last, so that it says whether blobs were done."""
    tighten(_folders_in(directory))
    if not is_private(directory / FILE_NAME):
        tighten(path for folder in _folders_in(directory) for path in folder.rglob("*"))
    tighten(reversed(_files_in(directory)))


def _refuse_store_of_another_user(database: Path, *, made_now: Path) -> None:
    """Refuse a foreign store even to root, whose new files its owner could not read.

    `made_now` shows who owns what this process makes, also on file systems without owners.
    """
    if database.stat().st_uid != made_now.stat().st_uid:
        raise PermissionError(f"{database} belongs to another user")


@contextmanager
def _incoming(uploads: Path) -> Iterator[Path]:
    """Make a folder for this process's uploads, and clean up those of dead processes."""
    locks = ProcessLocks(uploads)
    for name in locks.gone(folder.name for folder in uploads.iterdir() if folder.is_dir()):
        shutil.rmtree(uploads / name)
    locks.tidy()
    own = uploads / uuid.uuid4().hex
    make_folder(own)
    locks.hold(own.name)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)  # the next process to open the directory deletes what is left
        locks.release()
