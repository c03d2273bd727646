"""Wait for a time, or for a word that comes earlier."""

import asyncio

from civitai_mock.ports import Clock, Ids

FIRST_PAUSE_SECONDS = 0.5


class WakeUp:
    """One waits, anybody may ring; a ring that nobody waits for is kept for the next one who does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Until the bell rings, or `seconds` have passed."""
        alarm = asyncio.create_task(self._ring_after(seconds), name="alarm") if seconds is not None else None
        try:
            await self._rung.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._rung.clear()

    async def _ring_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.ring()


def pause_after(failures: int, *, longest: float, ids: Ids) -> float:
    """Twice as long after each failure, and between half and all of that, so that many do not come back at once."""
    whole = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 32), longest)
    return whole * (0.5 + ids.seed() / 2**33)
