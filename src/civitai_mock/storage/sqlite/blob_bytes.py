"""Where the SQLite store keeps the bytes of blobs: files in a folder, or memory."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import IO, Protocol

from civitai_mock.domain.blob import etag_of
from civitai_mock.domain.errors import NotFoundError, TransientError
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.services.streams import CHUNK_BYTES, in_chunks
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.sqlite.errors import disk_errors
from civitai_mock.storage.sqlite.permissions import make_folder, open_private

BUFFER = 4 * 1024 * 1024  # an image fits in, so that it takes one trip to a thread


class Upload(Protocol):
    """Holds bytes that have arrived and are not a blob yet."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    def keep(self) -> None:
        """Put the bytes in the place of what the key had."""
        ...

    def discard(self) -> None:
        """Forget the bytes, unless they were kept."""
        ...


class BlobContent(Protocol):
    """Keeps the bytes of blobs, in files or in memory.

    It `is_repeatable` if keeping or removing in the same order once more changes nothing more; a file that was moved
    cannot be moved again.
    """

    is_repeatable: bool

    async def receive(self, epoch: int, key: str, content: AsyncIterator[bytes]) -> Upload:
        """Take all of `content`; nothing of it stays if it fails midway."""
        ...

    def read(self, epoch: int, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` to `stop` (exclusive); raise `NotFoundError` if there are fewer."""
        ...

    def remove(self, epoch: int, key: str) -> None:
        """Delete the bytes of a key, if there are any."""
        ...

    def remove_all(self, epoch: int) -> None:
        """Delete what is left of an epoch without blobs."""
        ...

    async def check(self) -> None:
        """Raise `TransientError` if nothing can be received, kept, read or removed now."""
        ...


class FileContent:
    """Keeps blobs as files in `folder`; `incoming` is this process's own folder on the same file system.

    Those of the first epoch stand where earlier versions put them, those of another one in a folder of its own.
    """

    is_repeatable = False

    def __init__(self, *, folder: Path, incoming: Path) -> None:
        self._folder = folder
        self._incoming = incoming
        self._numbers = count()
        self._failed: FileUpload | None = None  # the last upload that failed, until one like it succeeds

    async def receive(self, epoch: int, key: str, content: AsyncIterator[bytes]) -> Upload:
        if epoch != FIRST_EPOCH:
            with disk_errors(str(self._folder)):
                make_folder(self._of_epoch(epoch))
        arriving = self._incoming / str(next(self._numbers))
        upload = FileUpload(arriving=arriving, target=self._path(epoch, key), note_failure=self._note)
        try:
            await _fill(upload, content)
        except BaseException as error:
            upload.discard()
            if isinstance(error, TransientError):
                self._note(upload)
            raise
        return upload

    def _note(self, failed: "FileUpload") -> None:
        if self._failed is not None:
            failed.wanted = max(failed.wanted, self._failed.wanted)
        self._failed = failed

    async def read(self, epoch: int, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read the file that was opened to its end, even if it is replaced or removed meanwhile."""
        with _open(self._path(epoch, key), start=start, stop=stop) as file:
            left = stop - start
            while left > 0:
                with disk_errors(str(self._folder)):
                    size = min(CHUNK_BYTES, left)
                    chunk = await in_thread_if_large(partial(file.read, size), size=size, threads=None)
                yield chunk
                left -= len(chunk)

    def remove(self, epoch: int, key: str) -> None:
        self._path(epoch, key).unlink(missing_ok=True)

    def remove_all(self, epoch: int) -> None:
        """Keep the folders of the first epoch, in which those of others are."""
        if epoch != FIRST_EPOCH:
            shutil.rmtree(self._of_epoch(epoch), ignore_errors=True)

    async def check(self) -> None:
        """Store a file and delete it, in a new folder; after an upload failed, also one as large in the same folder."""
        failed = self._failed
        name = f"check-{self._incoming.name}-{next(self._numbers)}"
        try:
            await asyncio.to_thread(self._take_through, self._folder / name / "file", b".")
            if failed is not None:
                content = bytes(min(failed.wanted, BUFFER)) or b"."
                await asyncio.to_thread(self._take_through, failed.folder / name, content)
        finally:
            shutil.rmtree(self._folder / name, ignore_errors=True)
        if self._failed is failed:
            self._failed = None

    def _take_through(self, target: Path, content: bytes) -> None:
        upload = FileUpload(arriving=self._incoming / str(next(self._numbers)), target=target)
        with disk_errors(str(target)):
            try:
                upload.finish(content)
                upload.keep()
                target.open("rb", buffering=0).close()
                target.unlink()
            finally:
                upload.discard()

    def _path(self, epoch: int, key: str) -> Path:
        return self._of_epoch(epoch) / key[:2] / key

    def _of_epoch(self, epoch: int) -> Path:
        return self._folder if epoch == FIRST_EPOCH else self._folder / f"epoch-{epoch}"


class FileUpload:
    """Writes a file, from a thread if it is large; the lock keeps a late write from bringing a discarded file back."""

    def __init__(
        self, *, arriving: Path, target: Path, note_failure: "Callable[[FileUpload], None]" = lambda _: None
    ) -> None:
        self.size = 0
        self.wanted = 0
        self.folder = target.parent
        self._note_failure = note_failure
        self._arriving = arriving
        self._target = target
        self._digest = sha256()
        self._lock = threading.Lock()
        self._discarded = False

    @property
    def etag(self) -> str:
        return etag_of(self._digest.hexdigest())

    def append(self, content: bytes) -> None:
        with self._lock, disk_errors(str(self._arriving)):
            if self._discarded:
                return
            self.wanted = self.size + len(content)
            with open(self._arriving, "ab", buffering=0, opener=open_private) as file:
                _write_all(file, content)
            self._digest.update(content)
            self.size += len(content)

    def finish(self, content: bytes) -> None:
        self.append(content)
        with disk_errors(str(self._target)):
            make_folder(self.folder)

    def keep(self) -> None:
        try:
            self._arriving.replace(self._target)
        except OSError:
            self._note_failure(self)
            raise

    def discard(self) -> None:
        with self._lock:
            self._discarded = True
            self._arriving.unlink(missing_ok=True)


def _write_all(file: IO[bytes], content: bytes) -> None:
    """Write until all is taken: a disk that fills up takes a part silently and refuses only the next write."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


async def _fill(upload: FileUpload, content: AsyncIterator[bytes]) -> None:
    parts: list[bytes] = []
    size = 0
    async for part in content:
        parts.append(part)
        size += len(part)
        if size >= BUFFER:
            await asyncio.to_thread(upload.append, b"".join(parts))
            parts, size = [], 0
    await in_thread_if_large(partial(upload.finish, b"".join(parts)), size=size, threads=None)


def _open(path: Path, *, start: int, stop: int) -> IO[bytes]:
    """Open a file at `start`; raise `NotFoundError` if it is gone, or was cut short when the machine lost power."""
    with disk_errors(str(path)):
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError as error:
            raise NotFoundError(f"The blob '{path.name}' does not exist.") from error
        if os.fstat(file.fileno()).st_size < stop:
            file.close()
            raise NotFoundError(f"The blob '{path.name}' is not complete.")
        file.seek(start)
        return file


class MemoryContent:
    """Implements `BlobContent` in memory."""

    is_repeatable = True

    def __init__(self) -> None:
        self._contents: dict[tuple[int, str], bytes] = {}

    async def receive(self, epoch: int, key: str, content: AsyncIterator[bytes]) -> Upload:
        return MemoryUpload(self._contents, (epoch, key), b"".join([chunk async for chunk in content]))

    async def read(self, epoch: int, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        content = self._contents.get((epoch, key))
        if content is None or len(content) < stop:
            raise NotFoundError(f"The blob '{key}' does not exist.")
        async for chunk in in_chunks(content, start=start, stop=stop):
            yield chunk

    def remove(self, epoch: int, key: str) -> None:
        self._contents.pop((epoch, key), None)

    def remove_all(self, epoch: int) -> None:
        """Do nothing, as each key was removed."""

    async def check(self) -> None:
        """Do nothing, as memory cannot fail alone."""


class MemoryUpload:
    """Holds bytes that were received and are not yet stored."""

    def __init__(self, contents: dict[tuple[int, str], bytes], key: tuple[int, str], content: bytes) -> None:
        self.size = len(content)
        self.etag = etag_of(sha256(content).hexdigest())
        self._contents = contents
        self._key = key
        self._content = content

    def keep(self) -> None:
        self._contents[self._key] = self._content

    def discard(self) -> None:
        """Do nothing, as nobody else has seen the bytes."""
