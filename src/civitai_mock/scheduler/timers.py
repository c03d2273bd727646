"""Many timers, one sleeping task."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime

from civitai_mock.ports import Clock

SPARE = 64


class Timers:
    """At most one alarm a key; `ring` hears its key as soon as the clock has come to it."""

    def __init__(self, *, clock: Clock, ring: Callable[[str], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._times: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []  # may hold alarms that were moved or cleared since
        self._sooner = asyncio.Event()

    def set(self, key: str, at: datetime) -> None:
        """Set it, or move it."""
        self._times[key] = at
        if not self._heap or at < self._heap[0][0]:
            self._sooner.set()
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._times) + SPARE:
            self._heap = [(moment, name) for name, moment in self._times.items()]
            heapq.heapify(self._heap)

    def clear(self, key: str) -> None:
        """One that is not set is no error."""
        self._times.pop(key, None)

    async def run(self) -> None:
        while True:
            self._sooner.clear()
            self._ring_due()
            await self._rest()

    def _ring_due(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._times.get(key) == at:
                del self._times[key]
                self._ring(key)

    async def _rest(self) -> None:
        """Until the first alarm, or until a sooner one is set."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._sooner.wait(), name="sooner alarm")]
        if self._heap:
            seconds = (self._heap[0][0] - self._clock.now()).total_seconds()
            waits.append(asyncio.create_task(self._clock.sleep(seconds), name="next alarm"))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
