"""Health files: what each process that runs here says of itself, for the health check beside it.

They are in memory where there is such a file system. A process holds its file locked, so one that nobody holds is of a
process that is gone. It imports little: a health check is started every other second.
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
SIZE = 1024  # every report is as long as the longest, so that one write replaces the whole

HealthReport = Mapping[str, Any]
"""`command` and `port` (the setting) say what runs.

`asked_at` is host, port and path of a server, `encrypted` if by TLS. Where it is None, `beat` is the monotonic time of
the last sign of life, and `fault` what was wrong then, or nothing.
"""


class HealthFile:
    """Is the file of this process, in which each report replaces the one before."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @property
    def is_kept(self) -> bool:
        """Return whether a folder could be written to."""
        return self._descriptor is not None

    def write(self, report: HealthReport) -> None:
        """Replace the report; one that cannot be written is missed, as that of a process that hangs would be."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.pwrite(self._descriptor, _encoded(report), 0)


@contextmanager
def keep_health_file(report: HealthReport) -> Iterator[HealthFile]:
    """Keep a file until the end of the block, or of the process; it is seen once it is locked and written."""
    created = next(filter(None, (_create(folder, report) for folder in _own_folders())), None)
    if created is None:
        yield HealthFile(None)
        return
    path, descriptor = created
    try:
        yield HealthFile(descriptor)
        with suppress(OSError):  # somebody cleaned up
            os.unlink(path)
    finally:
        os.close(descriptor)


def _create(folder: str, report: HealthReport) -> tuple[str, int] | None:
    """Return the path and the descriptor of a new file; None where there is no room for it."""
    path = os.path.join(folder, f"{os.getpid()}{ENDING}")
    unseen = f"{path}.new"
    try:
        descriptor = os.open(unseen, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        _lock(descriptor, exclusive=True)
        os.pwrite(descriptor, _encoded(report), 0)
        os.replace(unseen, path)
    except OSError:
        os.close(descriptor)
        os.unlink(unseen)
        return None
    return path, descriptor


def _encoded(report: HealthReport) -> bytes:
    return json.dumps(report).ljust(SIZE).encode()


def read_health_files() -> list[HealthReport]:
    """Read the reports of every process of this user in this container, or on this machine; remove leftovers."""
    paths = [entry.path for folder in _folders() if _is_ours(folder) for entry in os.scandir(folder)]
    return [report for path in paths if path.endswith(ENDING) and (report := _read(path)) is not None]


def _folders() -> list[str]:
    """Name the folders by process space: containers may share them (one pod, `--ipc=host`), but no process numbers."""
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
    """Return False for a folder that somebody else may write to: what is in there is not to be believed."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    """Return whether nobody else holds the file; then we do."""
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: str) -> HealthReport | None:
    """Return the report; remove the file and return None if no process holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _lock(descriptor, exclusive=False):
            os.unlink(path)
            return None
        report: HealthReport = json.loads(os.pread(descriptor, SIZE, 0))
    except FileNotFoundError:
        return None
    finally:
        os.close(descriptor)
    return report
