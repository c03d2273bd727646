"""A circuit breaker for one server: what fails prompt after prompt gets none for a while, then one as a trial."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.wake_up import WakeUp

logger = structlog.stdlib.get_logger()

MOST_IN_A_ROW = 3  # different prompts, or files that cannot be read


class Breaker:
    """A prompt that succeeds closes it; what is known goes with the process, and each process finds out for itself."""

    def __init__(self, *, worker_id: str, clock: Clock, options: ComfyOptions, changed: Callable[[], None]) -> None:
        """`changed` is called when it opens, lets a trial through, or closes."""
        self.successes = 0
        self._worker_id = worker_id
        self._clock = clock
        self._shortest = options.cooldown
        self._longest = options.longest_cooldown
        self._changed = changed
        self._failed: set[str] = set()
        self._reason = ""
        self._rests = 0
        self._rest_ends: datetime | None = None
        self._bell = WakeUp(clock)

    @property
    def is_closed(self) -> bool:
        return self._rest_ends is None

    @property
    def is_resting(self) -> bool:
        return self._rest_ends is not None and self._clock.now() < self._rest_ends

    @property
    def on_trial(self) -> bool:
        """One prompt may be sent, to see how it ends."""
        return not self.is_closed and not self.is_resting

    @property
    def in_a_row(self) -> int:
        """How many different prompts failed since the last one that succeeded."""
        return len(self._failed)

    @property
    def reason(self) -> str:
        """Why it is open; nothing while it is closed."""
        if self.is_closed:
            return ""
        next_step = "one prompt is tried" if self.on_trial else f"one is tried in {self._seconds_left:.0f} s"
        return f"put aside: prompt after prompt failed here ({self._reason}); {next_step}"

    def failed(self, culprit: str, reason: str) -> None:
        """A prompt failed by what may be the server's fault; the same `culprit`, a prompt or a file, counts once."""
        self._failed.add(culprit)
        self._reason = reason
        if self.is_closed and self.in_a_row >= MOST_IN_A_ROW:
            self._rest()
            seconds = self._seconds_left
            logger.warning("server put aside", worker_id=self._worker_id, reason=reason, rest_s=round(seconds))
        elif self.on_trial:
            self._rest()

    def succeeded(self) -> None:
        self.successes += 1
        self._failed.clear()
        self._close()

    def excuse(self, culprit: str) -> None:
        """A failure turned out to be the request's fault; without it, there may be too few of them."""
        self._failed.discard(culprit)
        if self.in_a_row < MOST_IN_A_ROW:
            self._close()

    async def run(self) -> None:
        """Tell when a rest is over."""
        while True:
            await self._bell.wait(self._seconds_left if self.is_resting else None)
            if self.on_trial:
                self._changed()

    def _close(self) -> None:
        if not self.is_closed:
            self._rest_ends, self._rests = None, 0
            logger.info("server back", worker_id=self._worker_id)
            self._changed()

    def _rest(self) -> None:
        """Twice as long each time."""
        self._rest_ends = self._clock.now() + min(self._shortest * 2.0 ** min(self._rests, 32), self._longest)
        self._rests += 1
        self._changed()
        self._bell.notify()

    @property
    def _seconds_left(self) -> float:
        left = (self._rest_ends or self._clock.now()) - self._clock.now()
        return max(left / timedelta(seconds=1), 0.0)
