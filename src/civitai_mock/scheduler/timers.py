"""Timers: any number of them wait in one sleeping task."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime

from civitai_mock.ports import Clock

SPARE_ENTRIES = 64


class Timers:
    """Keeps at most one timer a key; `on_due` gets the key as soon as the clock has come to the timer's time."""

    def __init__(self, *, clock: Clock, on_due: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._times: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []  # may hold timers that were moved or cleared since
        self._has_sooner = asyncio.Event()

    def set(self, key: str, at: datetime) -> None:
        """Set the timer of a key, or move it."""
        self._times[key] = at
        if not self._heap or at < self._heap[0][0]:
            self._has_sooner.set()
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._times) + SPARE_ENTRIES:
            self._heap = [(moment, name) for name, moment in self._times.items()]
            heapq.heapify(self._heap)

    def clear(self, key: str) -> None:
        """Forget the timer of a key, if there is one."""
        self._times.pop(key, None)

    async def run(self) -> None:
        while True:
            self._has_sooner.clear()
            self._fire_due()
            await self._wait_for_next()

    def _fire_due(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._times.get(key) == at:
                del self._times[key]
                self._on_due(key)

    async def _wait_for_next(self) -> None:
        """Wait for the first timer, or until a sooner one is set."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._has_sooner.wait(), name="sooner timer")]
        if self._heap:
            seconds = (self._heap[0][0] - self._clock.now()).total_seconds()
            waits.append(asyncio.create_task(self._clock.sleep(seconds), name="next timer"))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
