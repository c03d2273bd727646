"""Find out whether jobs stand still because no scheduler takes them; for a process that runs none itself."""

from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock, JobQueue

logger = structlog.stdlib.get_logger()

LOOK_SECONDS = 5.0
PATIENCE = timedelta(seconds=10)
LOOKS = 2  # in a row: between two claims of one job nobody holds it
REASON = "no scheduler takes jobs: some have waited for {seconds:.0f} s or longer while nobody works"


class Standstill:
    """Looks every few seconds, and says once when it begins and when it is over."""

    def __init__(self, *, queue: JobQueue, clock: Clock, poll: timedelta) -> None:
        """`poll` is how often schedulers look for jobs."""
        self._queue = queue
        self._clock = clock
        self._patience = max(PATIENCE, 2 * poll)
        self._looks = 0

    @property
    def reason(self) -> str | None:
        """None while jobs are taken, or there are none."""
        return REASON.format(seconds=self._patience.total_seconds()) if self._looks >= LOOKS else None

    async def run(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """While the store is away nothing is known."""
        before, now = self.reason, self._clock.now()
        try:
            stands_still = await self._queue.stands_still(since=now - self._patience, now=now)
        except TransientError:
            return
        self._looks = self._looks + 1 if stands_still else 0
        if self.reason and not before:
            logger.warning("jobs stand still", reason=self.reason, hint="start civitai-mock scheduler on this store")
        elif before and not self.reason:
            logger.info("jobs are taken again")
