"""Make streams of bytes: of what is in memory, and of what was read of a stream and the rest of it."""

from collections.abc import AsyncIterator

CHUNK_BYTES = 256 * 1024


async def one_chunk(content: bytes) -> AsyncIterator[bytes]:
    """Yield bytes that are all there already, for what takes a stream."""
    yield content


async def in_chunks(content: bytes, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
    """Yield bytes `start` to `stop` (exclusive) of what is in memory, at most `CHUNK_BYTES` at a time."""
    end = len(content) if stop is None else min(stop, len(content))
    for position in range(start, end, CHUNK_BYTES):
        yield content[position : min(position + CHUNK_BYTES, end)]


async def chained(beginning: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what was read of a stream already, then the rest of it."""
    yield beginning
    async for part in others:
        yield part
