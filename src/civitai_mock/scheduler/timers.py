"""Timers: any number of them wait in one call of the clock."""

import heapq
from collections.abc import Callable
from datetime import datetime

from civitai_mock.ports import Clock, Timer

SPARE_ENTRIES = 64


class Timers:
    """Keeps at most one timer a key; `on_due` gets the key as soon as the clock has come to the timer's time."""

    def __init__(self, *, clock: Clock, on_due: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._times: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []  # may hold timers that were moved or cleared since
        self._next: Timer | None = None
        self._next_at: datetime | None = None

    def set(self, key: str, at: datetime) -> None:
        """Set the timer of a key, or move it."""
        self._times[key] = at
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._times) + SPARE_ENTRIES:
            self._heap = [(moment, name) for name, moment in self._times.items()]
            heapq.heapify(self._heap)
        if self._next_at is None or at < self._next_at:
            self._wait_for_next()

    def clear(self, key: str) -> None:
        """Forget the timer of a key, if there is one.

        In real time a call for nothing costs less than to take it back each time. Where time is moved it would be what
        falls due next.
        """
        at = self._times.pop(key, None)
        if at is not None and at == self._next_at and self._clock.is_moved:
            self._wait_for_next()

    def clear_all(self) -> None:
        self._times.clear()
        self._heap.clear()
        self._wait_for_next()

    def _fire_due(self) -> None:
        self._next_at = None
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._times.get(key) == at:
                del self._times[key]
                self._on_due(key)
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        """Have the clock call when the first timer is due."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if self._next is not None:
            self._next.cancel()
        self._next_at = self._heap[0][0] if self._heap else None
        if self._next_at is not None:
            self._next = self._clock.call_later((self._next_at - self._clock.now()).total_seconds(), self._fire_due)
