"""Where pictures are drawn: in a few threads, each picture when somebody asks for its bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from civitai_mock.providers.simulator.threads import in_thread

T = TypeVar("T")

CHUNK = 256 * 1024


class Studio:
    def __init__(self, *, threads: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="drawing")

    async def content(self, draw: Callable[[], bytes]) -> AsyncIterator[bytes]:
        """What `draw` gives, in chunks; it runs in a thread, when the first chunk is asked for."""
        data = await self.run(draw)
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]

    async def run(self, work: Callable[[], T]) -> T:
        return await in_thread(work, threads=self._threads)

    async def aclose(self) -> None:
        """Wait for what is being drawn, off the event loop; drop what is not begun."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
