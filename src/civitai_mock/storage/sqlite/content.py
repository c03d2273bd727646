"""What `SqliteBlobs` needs from the place where the bytes are."""

from collections.abc import AsyncIterator
from typing import Protocol


class Upload(Protocol):
    """Bytes that have arrived and are not a blob yet."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    def keep(self) -> None:
        """Put them in the place of what the key had."""
        ...

    def discard(self) -> None:
        """Forget them, unless they were kept."""
        ...


class BlobContent(Protocol):
    async def receive(self, key: str, content: AsyncIterator[bytes]) -> Upload:
        """Take all of `content`; nothing is left of it if it fails midway."""
        ...

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Raise `NotFoundError` if there is not as much."""
        ...

    def remove(self, key: str) -> None:
        """No error if there is nothing."""
        ...

    async def check(self) -> None:
        """Raise `TransientError` if nothing can be received, kept, read or removed now."""
        ...
