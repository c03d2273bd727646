"""Wait for a time or for an earlier notification, and back off between tries."""

import asyncio

from civitai_mock.ports import Clock, Ids

FIRST_BACKOFF_SECONDS = 0.5


class WakeUp:
    """Lets one task wait until another notifies it; a notification that nobody waits for is kept for the next wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._notified = asyncio.Event()

    def notify(self) -> None:
        self._notified.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for a notification, or until `seconds` have passed."""
        timer = asyncio.create_task(self._notify_after(seconds), name="wake-up timer") if seconds is not None else None
        try:
            await self._notified.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._notified.clear()

    async def _notify_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.notify()


def backoff_seconds(failures: int, *, longest: float, ids: Ids) -> float:
    """Return twice as much after each failure, less up to half by chance: many shall not come back at once."""
    whole = min(FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 32), longest)
    return whole * (0.5 + ids.seed() / 2**33)
