"""A stored blob as a file that a thread can read at any place, without a copy of it in memory or in a folder."""

import asyncio
import io
import os
from typing import BinaryIO

from typing_extensions import Buffer

from civitai_mock.services.blob_drawing import Read

BUFFER_BYTES = 4 * 1024 * 1024  # as each part is one question to the store


def open_stored_file(read: Read, *, size: int) -> BinaryIO:
    """Return the file of a blob for a thread; the running event loop asks the store for its parts meanwhile."""
    raw = _StoredFile(read, size=size, loop=asyncio.get_running_loop())
    return io.BufferedReader(raw, BUFFER_BYTES)


class _StoredFile(io.RawIOBase):
    def __init__(self, read: Read, *, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self._read = read
        self._size = size
        self._loop = loop
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is nothing at {start + offset}")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        target = memoryview(buffer)
        stop = min(self._position + len(target), self._size)
        if stop <= self._position:
            return 0
        part = asyncio.run_coroutine_threadsafe(self._part(stop), self._loop).result()
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    async def _part(self, stop: int) -> bytes:
        return b"".join([chunk async for chunk in self._read(start=self._position, stop=stop)])
