"""The clock of this machine."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from civitai_mock.clock.sleep import ClockSleep

EARLIEST = 0.0015  # by how many seconds uvloop may call too early: it rounds to milliseconds, from the last whole one


class SystemClock:
    """Shows the time of this machine."""

    is_moved = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def lasting(self, duration: timedelta) -> timedelta:
        return duration

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + EARLIEST if seconds > 0 else 0)

    def begin_sleep(self, seconds: float) -> ClockSleep:
        sleep = ClockSleep()
        sleep.timer = self.call_later(seconds, sleep.wake)
        return sleep

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds + EARLIEST, callback)
