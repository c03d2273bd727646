"""A clock that stands still until it is moved by whoever has it."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from civitai_mock.clock.sleep import ClockSleep


class VirtualTimer:
    """Is a call that a virtual clock will make."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def call(self) -> None:
        if self._callback is not None:
            self._callback()


class VirtualClock:
    """Stands still until `advance` moves it; a sleep by it lasts until then, and takes no time itself.

    It is in the place of the machine's clock, which counts as one that nobody moves.
    """

    is_moved = False

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._order = count()
        self._timers: list[tuple[datetime, int, VirtualTimer]] = []

    def now(self) -> datetime:
        return self._now

    def lasting(self, duration: timedelta) -> timedelta:
        return duration

    async def sleep(self, seconds: float) -> None:
        await self.begin_sleep(seconds)

    def begin_sleep(self, seconds: float) -> ClockSleep:
        sleep = ClockSleep()
        sleep.timer = self.call_later(seconds, sleep.wake)
        return sleep

    def call_later(self, seconds: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(callback)
        heapq.heappush(self._timers, (self._now + timedelta(seconds=seconds), next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move on, and make the calls whose time has come: the earliest first, then in the order of the asking."""
        self._now += timedelta(seconds=seconds)
        while self._timers and self._timers[0][0] <= self._now:
            heapq.heappop(self._timers)[2].call()
