"""A directory that any number of processes share as one store."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from civitai_mock.storage.sqlite.connections import Connections, connect_file
from civitai_mock.storage.sqlite.file_content import FileContent
from civitai_mock.storage.sqlite.presence import DOOR, Presence
from civitai_mock.storage.sqlite.private import FILE_MODE, is_private, make_file, make_folder, make_folders, tighten
from civitai_mock.storage.sqlite.tables import TableNames

FILE_NAME = "civitai-mock.db"
BLOBS, UPLOADS, WORKERS = "blobs", "uploads", "workers"
LOCK = "open.lock"
OPEN_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """`connections` are for the taker to close."""

    connections: Connections
    content: FileContent
    workers: Presence


@contextmanager
def opened(directory: Path, names: TableNames) -> Iterator[Directory]:
    """Make what is missing; one process at a time, as a new database cannot be made by two."""
    make_folders(directory)
    for folder in folders_in(directory):
        make_folder(folder)
    _tighten_what_was_there(directory)
    make_file(directory / FILE_NAME)  # the log and the index beside it get the mode of the database
    with ExitStack() as stack:
        workers = Presence(directory / WORKERS)
        stack.callback(workers.release)
        with FileLock(directory / LOCK, timeout=OPEN_SECONDS, mode=FILE_MODE):
            incoming = stack.enter_context(_incoming(directory / UPLOADS))
            _refuse_store_of_another_user(directory / FILE_NAME, made_now=incoming)
            connections = connect_file(directory / FILE_NAME, names)
        content = FileContent(folder=directory / BLOBS, incoming=incoming)
        yield Directory(connections=connections, content=content, workers=workers)


def folders_in(directory: Path) -> list[Path]:
    return [directory / name for name in (BLOBS, UPLOADS, WORKERS)]


def files_in(directory: Path) -> list[Path]:
    names = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", LOCK, f"{WORKERS}/{DOOR}", f"{UPLOADS}/{DOOR}")
    return [directory / name for name in names]


def _tighten_what_was_there(directory: Path) -> None:
    """Blobs are gone through once: a database that was tightened, last of all, tells that they were."""
    tighten(folders_in(directory))
    if not is_private(directory / FILE_NAME):
        tighten(path for folder in folders_in(directory) for path in folder.rglob("*"))
    tighten(reversed(files_in(directory)))


def _refuse_store_of_another_user(database: Path, *, made_now: Path) -> None:
    """Root is let in everywhere, but what it makes its user could not read. Where files have no owners all is well."""
    if database.stat().st_uid != made_now.stat().st_uid:
        raise PermissionError(f"{database} belongs to another user")


@contextmanager
def _incoming(uploads: Path) -> Iterator[Path]:
    """A folder of this process's own, after those of dead ones were cleaned up."""
    presence = Presence(uploads)
    for name in presence.gone(folder.name for folder in uploads.iterdir() if folder.is_dir()):
        shutil.rmtree(uploads / name)
    own = uploads / uuid.uuid4().hex
    make_folder(own)
    presence.hold(own.name)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)  # the next to open the directory sees to what is left
        presence.release()
