"""The bytes of blobs in memory."""

from collections.abc import AsyncIterator
from hashlib import sha256

from civitai_mock.domain.errors import NotFoundError
from civitai_mock.storage.sqlite.content import Upload

CHUNK = 256 * 1024


class MemoryContent:
    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    async def receive(self, key: str, content: AsyncIterator[bytes]) -> Upload:
        return MemoryUpload(self._contents, key, b"".join([chunk async for chunk in content]))

    async def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        content = self._contents.get(key)
        if content is None or len(content) < stop:
            raise NotFoundError(f"The blob '{key}' does not exist.")
        for position in range(start, stop, CHUNK):
            yield content[position : min(position + CHUNK, stop)]

    def remove(self, key: str) -> None:
        self._contents.pop(key, None)

    async def check(self) -> None:
        """There is nothing that could fail alone."""


class MemoryUpload:
    def __init__(self, contents: dict[str, bytes], key: str, content: bytes) -> None:
        self.size = len(content)
        self.etag = sha256(content).hexdigest()[:32]
        self._contents = contents
        self._key = key
        self._content = content

    def keep(self) -> None:
        self._contents[self._key] = self._content

    def discard(self) -> None:
        """Nothing else has seen them."""
