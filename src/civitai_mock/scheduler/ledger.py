"""The one door for a holder's writes."""

from dataclasses import dataclass

import structlog

from civitai_mock.domain.errors import ClaimLost, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobStore

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    jobs: JobStore
    clock: Clock

    async def write(self, before: Job, after: Job) -> Job:
        """`after`, once it is stored; raise `ClaimLost` if somebody else has changed the job.

        Waits for a store that is away. A write whose answer got lost may have been carried out: then it counts.
        """
        while True:
            try:
                if await self.jobs.replace(before, after) or await self._is_stored(after):
                    return after
            except TransientError as error:
                logger.warning("store away", error=error.message)
                await self.clock.sleep(PAUSE_SECONDS)
            else:
                raise ClaimLost("The job was taken over.", job_id=before.id)

    async def _is_stored(self, after: Job) -> bool:
        stored = await self.jobs.get(after.id)
        return stored is not None and stored.last_event == after.last_event

    async def release(self, job: Job, *, reason: str) -> None:
        """Give a job back as it is stored now, which may be a stage further than its holder knows."""
        held = await self.jobs.get(job.id)
        while held is not None and held.claim is not None and job.claim is not None:
            if held.claim.worker_id != job.claim.worker_id:
                return
            if await self.jobs.replace(held, held.released(at=self.clock.now(), reason=reason)):
                return
            held = await self.jobs.get(job.id)

    async def is_over(self, job_id: str) -> bool:
        """True for a job that has an outcome, or is gone."""
        stored = await self.jobs.get(job_id)
        return stored is None or stored.outcome is not None
