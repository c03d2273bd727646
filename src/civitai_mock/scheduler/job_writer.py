"""All writes that a worker makes to a job it has claimed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from civitai_mock.domain.claims import owes_retry
from civitai_mock.domain.errors import ClaimLost, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobStore
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWriter:
    jobs: JobStore
    event_bus: EventBus
    clock: Clock

    async def write(self, before: Job, after: Job) -> Job:
        """`after`, once it is stored; raise `ClaimLost` if somebody else has changed the job.

        Waits for a store that is away. A write whose answer got lost may have been carried out: then it counts.
        """
        if not await self._when_store_answers(lambda: self._replaced(before, after)):
            raise ClaimLost("The job was taken over.", job_id=before.id)
        self.event_bus.publish_changes([after])
        return after

    async def _replaced(self, before: Job, after: Job) -> bool:
        if await self.jobs.replace(before, after):
            return True
        stored = await self.jobs.get(after.id)
        return stored is not None and stored.last_event == after.last_event

    async def release(self, job: Job, *, reason: str) -> None:
        """Back in the queue, with no retry used up."""
        await self._let_go(job, lambda held: held.released(at=self.clock.now(), reason=reason))

    async def expire(self, job: Job, *, reason: str, prompt_stopped: bool = False) -> Job:
        """The job as it is stored once its claim has ended; waits for a store that is away."""

        def expired(held: Job) -> Job:
            return held.claim_expired(at=self.clock.now(), reason=reason, prompt_stopped=prompt_stopped)

        return await self._when_store_answers(lambda: self._let_go(job, expired))

    async def _let_go(self, job: Job, change: Callable[[Job], Job]) -> Job:
        """End a claim on a job as it is stored now, which may be a stage further than its holder knows."""
        held = await self.jobs.get(job.id)
        while held is not None and _is_held_by_holder_of(job, held):
            after = change(held)
            if await self.jobs.replace(held, after):
                self.event_bus.publish_changes([after])
                return after
            held = await self.jobs.get(job.id)
        return held or job

    async def owes_retry(self, job: Job) -> bool:
        """Whether an earlier claim's worker died with the job's prompt; waits for a store that is away."""
        events = await self._when_store_answers(lambda: self.jobs.events(job.id))
        return owes_retry(events, retry_attempt=job.retry_attempt)

    async def _when_store_answers(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask again after a pause for as long as the store is away."""
        while True:
            try:
                return await ask()
            except TransientError as error:
                logger.warning("store away", error=error.message)
                await self.clock.sleep(PAUSE_SECONDS)

    async def is_over(self, job_id: str) -> bool:
        """True for a job that has an outcome, or is gone."""
        stored = await self.jobs.get(job_id)
        return stored is None or stored.outcome is not None


def _is_held_by_holder_of(job: Job, stored: Job) -> bool:
    """A worker that claimed the job again since is another holder."""
    return job.claim is not None and job.claim.is_same(stored.claim)
