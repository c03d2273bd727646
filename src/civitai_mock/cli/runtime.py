"""Notes of what runs here, for the health check beside it; on a file system in memory, where there is one.

A note is a file that its process holds locked, so one that nobody holds is of a process that is gone. Imports little:
a health check is started every other second.
"""

import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

ROOTS = ("/dev/shm", os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - only folders of our own in them are used
PROCESS_SPACE = "/proc/self/ns/pid"
ENDING = ".json"
SIZE = 1024  # every note is as long as the longest, so that one write replaces the whole

Content = Mapping[str, Any]


class Note:
    """What one process says of itself."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @property
    def is_kept(self) -> bool:
        """False where no folder could be written to."""
        return self._descriptor is not None

    def write(self, content: Content) -> None:
        """A beat that cannot be written is a beat that is missed."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.pwrite(self._descriptor, _encoded(content), 0)


@contextmanager
def leaving_note(content: Content) -> Iterator[Note]:
    """A note that goes with this process; it is seen once it is locked and written."""
    left = next(filter(None, (_leave(folder, content) for folder in _own_folders())), None)
    if left is None:
        yield Note(None)
        return
    path, descriptor = left
    try:
        yield Note(descriptor)
        with suppress(OSError):  # somebody cleaned up
            os.unlink(path)
    finally:
        os.close(descriptor)


def _leave(folder: str, content: Content) -> tuple[str, int] | None:
    """The note's path and descriptor; None where there is no room for it."""
    path = os.path.join(folder, f"{os.getpid()}{ENDING}")
    unseen = f"{path}.new"
    try:
        descriptor = os.open(unseen, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        _is_free(descriptor, exclusive=True)
        os.pwrite(descriptor, _encoded(content), 0)
        os.replace(unseen, path)
    except OSError:
        os.close(descriptor)
        os.unlink(unseen)
        return None
    return path, descriptor


def _encoded(content: Content) -> bytes:
    return json.dumps(content).ljust(SIZE).encode()


def live_notes() -> list[Content]:
    """Read the notes of every process of this user in this container, or on this machine, and clean up leftovers."""
    paths = [entry.path for folder in _folders() if _is_ours(folder) for entry in os.scandir(folder)]
    return [content for path in paths if path.endswith(ENDING) and (content := _read(path)) is not None]


def _folders() -> list[str]:
    """Containers may share such a folder (one pod, `--ipc=host`), but each has process numbers of its own."""
    if sys.platform == "win32":
        return []
    space = os.stat(PROCESS_SPACE).st_ino if os.path.exists(PROCESS_SPACE) else 0
    return [os.path.join(root, f"civitai-mock-{os.getuid()}-{space}") for root in ROOTS]


def _own_folders() -> Iterator[str]:
    for folder in _folders():
        try:
            os.mkdir(folder, mode=0o700)
        except FileExistsError:
            pass
        except OSError:
            continue  # read-only, full or not there: the next one
        if _is_ours(folder) and os.access(folder, os.W_OK | os.X_OK):
            yield folder


def _is_ours(folder: str) -> bool:
    """False for one that somebody else has put there, to tell us stories."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _is_free(descriptor: int, *, exclusive: bool) -> bool:
    """True if nobody else holds it; then we do."""
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: str) -> Content | None:
    """None for a note that nobody holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _is_free(descriptor, exclusive=False):
            os.unlink(path)
            return None
        content: Content = json.loads(os.pread(descriptor, SIZE, 0))
    except FileNotFoundError:
        return None
    finally:
        os.close(descriptor)
    return content
