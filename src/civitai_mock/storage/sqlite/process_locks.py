"""Lock files that tell which workers live: the operating system releases one when its holder's process ends."""

import hashlib
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from civitai_mock.domain.errors import ConflictError
from civitai_mock.storage.sqlite.permissions import FILE_MODE

DOOR = ".door"
DOOR_SECONDS = 5.0


class ProcessLocks:
    """Names held in one folder by any number of processes.

    Lock files come and go only behind the door, so nobody can hold one that another has just taken away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, BaseFileLock] = {}
        self._door = FileLock(folder / DOOR, timeout=DOOR_SECONDS, mode=FILE_MODE, thread_local=False)
        self._mutex = threading.Lock()  # a FileLock lets in every thread of the process that has it

    def holds(self, name: str) -> bool:
        """True if `name` is held here."""
        return name in self._held

    def hold(self, name: str) -> None:
        """Raise `ConflictError` if `name` is held elsewhere."""
        with self._mutex, self._door:
            lock = self._held.get(name) or self._lock(name)
            if not (lock.is_locked or _taken(lock)):
                raise ConflictError(f"'{name}' is in use by another process.")
            self._held[name] = lock

    def gone(self, names: Iterable[str]) -> list[str]:
        """Those that nobody holds; their files are cleaned up."""
        with self._mutex, self._door:
            return [name for name in names if self._clear(name)]

    def release(self) -> None:
        """Let go of everything."""
        with self._mutex, self._door:
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
        """Readable, whatever the name: what could be special in a path is replaced, and a digest keeps it unique."""
        readable = re.sub(r"[^A-Za-z0-9-]", "_", name)[:48]
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return FileLock(self._folder / f"{readable}-{digest}.lock", timeout=0, mode=FILE_MODE, thread_local=False)


def _taken(lock: BaseFileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _drop(lock: BaseFileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
