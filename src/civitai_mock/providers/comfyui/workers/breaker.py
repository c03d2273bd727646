"""Circuit breaker for one server that failed prompt after prompt: it gets none for a while, then one as a trial."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.wake_up import WakeUp

logger = structlog.stdlib.get_logger()

MOST_FAILURES_IN_A_ROW = 3  # of different prompts, or files that cannot be read


class Breaker:
    """Opens after failures in a row, is half open after a cooldown, and closes when a prompt succeeds.

    What it knows goes with the process; each process finds out for itself.
    """

    def __init__(self, *, worker_id: str, dependencies: WorkerDependencies, on_change: Callable[[], None]) -> None:
        """`on_change` is called when it opens, is half open, or closes."""
        self.successes = 0
        self._worker_id = worker_id
        self._clock = dependencies.clock
        self._cooldown = dependencies.options.cooldown
        self._longest_cooldown = dependencies.options.longest_cooldown
        self._on_change = on_change
        self._failed: set[str] = set()
        self._last_reason = ""
        self._cooldowns = 0
        self._cooldown_ends: datetime | None = None
        self._wake_up = WakeUp(self._clock)

    @property
    def is_closed(self) -> bool:
        return self._cooldown_ends is None

    @property
    def is_open(self) -> bool:
        return self._cooldown_ends is not None and self._clock.now() < self._cooldown_ends

    @property
    def is_half_open(self) -> bool:
        """One prompt may be sent, to see how it ends."""
        return not self.is_closed and not self.is_open

    @property
    def failures_in_a_row(self) -> int:
        """Return how many different prompts failed since the last one that succeeded."""
        return len(self._failed)

    @property
    def reason(self) -> str:
        """Return why it is not closed; empty while it is."""
        if self.is_closed:
            return ""
        next_step = "one prompt is tried" if self.is_half_open else f"one is tried in {self._seconds_left:.0f} s"
        return f"put aside: prompt after prompt failed here ({self._last_reason}); {next_step}"

    def record_failure(self, culprit: str, reason: str) -> None:
        """Count a failure that may be the server's fault; the same `culprit`, a prompt or a file, counts once."""
        self._failed.add(culprit)
        self._last_reason = reason
        if self.is_closed and self.failures_in_a_row >= MOST_FAILURES_IN_A_ROW:
            self._open()
            seconds = self._seconds_left
            logger.warning("server put aside", worker_id=self._worker_id, reason=reason, rest_s=round(seconds))
        elif self.is_half_open:
            self._open()

    def record_success(self) -> None:
        self.successes += 1
        self._failed.clear()
        self._close()

    def excuse(self, culprit: str) -> None:
        """Take back a failure that turned out to be the request's fault, and close if too few are left."""
        self._failed.discard(culprit)
        if self.failures_in_a_row < MOST_FAILURES_IN_A_ROW:
            self._close()

    def end_cooldown(self) -> None:
        """Be half open at once, if it is open."""
        if self.is_open:
            self._cooldown_ends = self._clock.now()
            self._wake_up.notify()

    async def run(self) -> None:
        """Call `on_change` when a cooldown is over."""
        while True:
            await self._wake_up.wait(self._seconds_left if self.is_open else None)
            if self.is_half_open:
                self._on_change()

    def _open(self) -> None:
        """Open for twice as long each time."""
        cooldown = min(self._cooldown * 2.0 ** min(self._cooldowns, 32), self._longest_cooldown)
        self._cooldown_ends = self._clock.now() + cooldown
        self._cooldowns += 1
        self._on_change()
        self._wake_up.notify()

    def _close(self) -> None:
        if not self.is_closed:
            self._cooldown_ends, self._cooldowns = None, 0
            logger.info("server back", worker_id=self._worker_id)
            self._on_change()

    @property
    def _seconds_left(self) -> float:
        left = (self._cooldown_ends or self._clock.now()) - self._clock.now()
        return max(left / timedelta(seconds=1), 0.0)
