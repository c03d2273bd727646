"""Limit how many jobs wait to be claimed, so that a client that never stops fills neither memory nor disk."""

import math
import time
from collections.abc import Awaitable, Callable

from civitai_mock.domain.errors import QueueFullError
from civitai_mock.domain.search import Backlog

CountBacklog = Callable[[], Awaitable[Backlog | None]]

RECOUNT_SECONDS = 5.0  # after which other processes may have added or taken many
SHORTEST_PAUSE_SECONDS = 0.25  # between two counts while the queue is full


class QueueLimit:
    """Refuses submissions for which the queue has no room.

    It counts what this process accepts, and asks the store every few seconds: so several processes together may exceed
    the limit by what they accept in that time. While the store does not answer, nothing is refused here.
    """

    def __init__(self, *, read_backlog: CountBacklog, most: int, now: Callable[[], float] = time.monotonic) -> None:
        """`most` is how many jobs may wait; `read_backlog` returns None while the store does not answer."""
        self._read_backlog = read_backlog
        self._now = now
        self._most = most
        self._waiting = 0
        self._counted_at = -math.inf

    async def take(self, count: int) -> None:
        """Take room for so many jobs more; raise `QueueFullError` if there is none."""
        age = self._now() - self._counted_at
        is_full = self._waiting + count > self._most
        if age >= RECOUNT_SECONDS or (is_full and age >= SHORTEST_PAUSE_SECONDS):
            await self._count()
        if self._waiting + count > self._most:
            raise QueueFullError(
                f"The queue has room for {self._most} jobs, and {self._waiting} wait already. Try again later.",
                waiting=self._waiting,
            )
        self._waiting += count

    async def _count(self) -> None:
        self._counted_at = self._now()
        backlog = await self._read_backlog()
        self._waiting = backlog.jobs if backlog else 0
