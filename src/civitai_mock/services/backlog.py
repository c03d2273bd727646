"""How many jobs wait to be claimed, read in bounded time: whoever asks may leave it out of an answer."""

import asyncio

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.search import Backlog
from civitai_mock.ports import JobQueue

READ_SECONDS = 2.0


class ReadBacklog:
    """Reads the queue once at a time, however often it is asked."""

    def __init__(self, *, queue: JobQueue) -> None:
        self._queue = queue
        self._reading: asyncio.Task[Backlog | None] | None = None

    async def __call__(self) -> Backlog | None:
        """Return None if the store is away, or does not answer in `READ_SECONDS`."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="backlog")
        done, _ = await asyncio.wait([self._reading], timeout=READ_SECONDS)
        return done.pop().result() if done else None

    async def _read(self) -> Backlog | None:
        try:
            return await self._queue.backlog()
        except TransientError:
            return None
        finally:
            self._reading = None
