"""Look after what nobody holds: claims of the dead, jobs past their deadline, data past its time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import BlobStore, Clock, JobSignals, JobStore

logger = structlog.stdlib.get_logger()

PAGE = 500
SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaper:
    """Any number of them may run on one store: each write is conditional."""

    jobs: JobStore
    blobs: BlobStore
    signals: JobSignals
    clock: Clock
    interval: timedelta

    async def run(self) -> None:
        """Reap at once (leftovers of an earlier life), then at intervals."""
        while True:
            await self._try(self.reap)
            await self.clock.sleep(self.interval.total_seconds())

    async def run_sweeps(self) -> None:
        while True:
            await self._try(self.sweep)
            await self.clock.sleep(SWEEP_SECONDS)

    async def reap(self) -> None:
        expired = await self.jobs.with_expired_lease(self.clock.now(), limit=PAGE)
        back = await self._written(expired, self._abandoned)
        late = await self.jobs.past_deadline(self.clock.now(), limit=PAGE)
        ended = await self._written(late, self._expired)
        if back:
            logger.warning("claims expired", job_ids=[job.id for job in back])
            self.signals.submitted()
        self.signals.changed([*back, *ended])
        self.signals.ended([job.id for job in [*back, *ended]])

    async def _written(self, jobs: Sequence[Job], change: Callable[[Job], Job]) -> Sequence[Job]:
        """The changed jobs, without those that somebody else changed first."""
        pairs = [(job, change(job)) for job in jobs]
        return [after for before, after in pairs if await self.jobs.replace(before, after)]

    async def sweep(self) -> None:
        now = self.clock.now()
        jobs, blobs = await self.jobs.sweep(now), await self.blobs.sweep(now)
        if jobs or blobs:
            logger.info("swept", jobs=jobs, blobs=blobs)

    def _abandoned(self, job: Job) -> Job:
        return job.abandoned(at=self.clock.now(), reason="The worker did not renew its lease.")

    def _expired(self, job: Job) -> Job:
        return job.ended(Outcome.EXPIRED, at=self.clock.now(), context={"reason": "The job reached its expireAt."})

    async def _try(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("reaper failed")
