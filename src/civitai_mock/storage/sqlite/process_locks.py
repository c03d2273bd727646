"""Lock files that say which processes live: the operating system releases them when a process ends, however it ends."""

import hashlib
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from civitai_mock.domain.errors import ConflictError
from civitai_mock.storage.sqlite.permissions import FILE_MODE

MUTEX = ".door"
SUFFIX = ".lock"
MUTEX_SECONDS = 5.0


class ProcessLocks:
    """Holds names in one folder that any number of processes share.

    Lock files are made and deleted only by the holder of the mutex, so that nobody holds one that was just deleted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, BaseFileLock] = {}
        self._mutex = FileLock(folder / MUTEX, timeout=MUTEX_SECONDS, mode=FILE_MODE, thread_local=False)
        self._thread_mutex = threading.Lock()  # as a FileLock lets in every thread of the process that has it

    def holds(self, name: str) -> bool:
        """Return whether this process holds `name`."""
        return name in self._held

    def hold(self, name: str) -> None:
        """Hold `name`; raise `ConflictError` if another process does."""
        with self._thread_mutex, self._mutex:
            lock = self._held.get(name) or self._lock(name)
            if not (lock.is_locked or _taken(lock)):
                raise ConflictError(f"'{name}' is in use by another process.")
            self._held[name] = lock

    def gone(self, names: Iterable[str]) -> list[str]:
        """Return the names that nobody holds, and delete their files."""
        with self._thread_mutex, self._mutex:
            return [name for name in names if self._clear(name)]

    def tidy(self) -> None:
        """Delete the files of all names that nobody holds: each process that was killed leaves one."""
        with self._thread_mutex, self._mutex:
            for path in self._folder.glob(f"*{SUFFIX}"):
                lock = _file_lock(path)
                if _taken(lock):
                    _drop(lock)

    def release(self) -> None:
        """Release all names."""
        with self._thread_mutex, self._mutex:
            for lock in self._held.values():
                _drop(lock)
            self._held.clear()

    def _clear(self, name: str) -> bool:
        lock = self._lock(name)
        if not _taken(lock):
            return False
        _drop(lock)
        return True

    def _lock(self, name: str) -> BaseFileLock:
        """Name the file so that people can read it, without what is special in paths; a digest keeps it unique."""
        readable = re.sub(r"[^A-Za-z0-9-]", "_", name)[:48]
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return _file_lock(self._folder / f"{readable}-{digest}{SUFFIX}")


def _file_lock(path: Path) -> BaseFileLock:
    return FileLock(path, timeout=0, mode=FILE_MODE, thread_local=False)


def _taken(lock: BaseFileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _drop(lock: BaseFileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
