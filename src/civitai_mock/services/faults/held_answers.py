"""Hold answers back for a while, as faults ask for: in real time, however the clock of their namespace goes."""

from typing import TYPE_CHECKING

from civitai_mock.ports import Clock, Sleep

if TYPE_CHECKING:
    import asyncio


class HeldAnswers:
    """Holds answers of one namespace back. When that ends or begins anew, or the process stops, they go on at once."""

    def __init__(self, clock: Clock) -> None:
        """Hold by a `clock` that goes as real time does."""
        self.is_stopped = False
        self._clock = clock
        self._held: set[Sleep] = set()

    @property
    def count(self) -> int:
        """Return how many answers are held back now."""
        return len(self._held)

    async def hold(self, seconds: float, given_up: "asyncio.Future[None]") -> None:
        """Return after so many seconds, or once nobody waits for the answer any more."""
        if self.is_stopped or given_up.done():
            return
        sleep = self._clock.begin_sleep(seconds)
        self._held.add(sleep)
        given_up.add_done_callback(sleep.wake)
        try:
            await sleep
        finally:
            given_up.remove_done_callback(sleep.wake)
            self._held.discard(sleep)

    def stop(self) -> None:
        """Hold nothing any more."""
        self.is_stopped = True
        for sleep in list(self._held):
            sleep.wake()
