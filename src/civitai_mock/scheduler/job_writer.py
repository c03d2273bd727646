"""All writes that a worker makes to a job it has claimed."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import structlog

from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import owes_retry
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ClaimLost, TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobStore
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWriter:
    """Writes only while the worker's claim holds, and publishes each change on the event bus."""

    jobs: JobStore
    event_bus: EventBus
    clock: Clock
    system_clock: Clock

    async def save(self, before: Job, changes: Sequence[Job]) -> Job:
        """Store what became of a job, change by change, in one write, and return the last of them.

        Raise `ClaimLost` if somebody else has changed the job. Wait for a store that is away. A write whose answer got
        lost may have been carried out: then it counts.
        """
        if not await self._when_store_answers(lambda: self._replace(before, changes)):
            raise ClaimLost("The job was taken over.", job_id=before.id)
        self.event_bus.publish_changes(changes)
        return changes[-1]

    async def release(self, job: Job, *, reason: str) -> None:
        """Put the job back into the queue, with no retry used up."""
        await self._end_claim(job, lambda held: held.released(at=self.clock.now(), reason=reason))

    async def hand_back(self, job: Job, put_back: Callable[[Job, datetime], Job]) -> Job:
        """Return the job as it is stored once it is put back, without its prompt, which was stopped.

        Wait for a store that is away.
        """

        def handed_back(held: Job) -> Job:
            return changed(put_back(held, self.clock.now()), prompt_id=None)

        return await self._when_store_answers(lambda: self._end_claim(job, handed_back))

    async def expire(self, job: Job, *, reason: str, prompt_stopped: bool = False) -> Job:
        """Return the job as it is stored once its claim has ended; wait for a store that is away."""

        def expired(held: Job) -> Job:
            return held.claim_expired(at=self.clock.now(), reason=reason, prompt_stopped=prompt_stopped)

        return await self._when_store_answers(lambda: self._end_claim(job, expired))

    async def decided(self, job: Job, decide: Callable[[Job], Awaitable[Job]]) -> Job:
        """Return a job with what is decided for it, which is stored then; wait for a store that is away.

        Raise `ClaimLost` if somebody else has changed it.
        """
        decided = await self._when_store_answers(lambda: decide(job))
        if decided.faults != job.faults:
            await self._keep_faults(job, decided)
        return decided

    async def _keep_faults(self, job: Job, decided: Job) -> None:
        async def keep() -> bool:
            if await self.jobs.keep_faults(job, decided.faults):
                return True
            stored = await self.jobs.get(job.id)  # as a write whose answer got lost may have been carried out
            return stored is not None and stored.faults == decided.faults and _has_same_claim(job, stored)

        if not await self._when_store_answers(keep):
            raise ClaimLost("The job was taken over.", job_id=job.id)

    async def owes_retry(self, job: Job) -> bool:
        """Return whether an earlier claim's worker died with the job's prompt; wait for a store that is away."""
        return owes_retry(await self.events(job.id), retry_attempt=job.retry_attempt)

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Return the events of a job; wait for a store that is away."""
        return await self._when_store_answers(lambda: self.jobs.events(job_id))

    async def has_ended(self, job_id: str) -> bool:
        """Return whether a job has an outcome, or is gone."""
        stored = await self.jobs.get(job_id)
        return stored is None or stored.outcome is not None

    async def _replace(self, before: Job, changes: Sequence[Job]) -> bool:
        *passed, after = changes
        if await self.jobs.replace(before, after, between=[job.last_event for job in passed]):
            return True
        stored = await self.jobs.get(after.id)
        return stored is not None and stored.last_event == after.last_event

    async def _end_claim(self, job: Job, change: Callable[[Job], Job]) -> Job:
        """Change a job as it is stored now, which may be a stage further than its holder knows."""
        held = await self.jobs.get(job.id)
        while held is not None and _has_same_claim(job, held):
            after = change(held)
            if await self.jobs.replace(held, after):
                self.event_bus.publish_changes([after])
                return after
            held = await self.jobs.get(job.id)
        return held or job

    async def _when_store_answers(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await when_store_answers(ask, clock=self.system_clock, pause=PAUSE_SECONDS)


async def when_store_answers(
    ask: Callable[[], Awaitable[T]], *, clock: Clock, pause: float, on_away: Callable[[], None] = lambda: None
) -> T:
    """Ask again after a pause of so many seconds for as long as the store is away; before each, call `on_away`."""
    while True:
        try:
            return await ask()
        except TransientError as error:
            logger.warning("store away", error=error.message)
            on_away()
            await clock.sleep(pause)


def _has_same_claim(job: Job, stored: Job) -> bool:
    """Return False, too, if the same worker has claimed the job again since."""
    return job.claim is not None and job.claim.is_same(stored.claim)
