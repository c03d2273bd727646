"""Unblock or fail the jobs that wait for others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, JobQueue, JobSearch, JobStore
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

PAGE = 500


def resolve(job: Job, outcomes: Mapping[str, Outcome | None], *, at: datetime) -> Job | None:
    """What becomes of a waiting job; None while it has to wait. A dependency without an entry is gone."""
    for job_id in job.dependencies:
        if outcomes.get(job_id, Outcome.DELETED) not in {None, Outcome.SUCCEEDED}:
            return _failed(job, because_of=job_id, at=at)
    waits = any(outcomes[job_id] is None for job_id in job.dependencies)
    return None if waits else job.unblocked(at=at)


def _failed(job: Job, *, because_of: str, at: datetime) -> Job:
    message = f"The job '{because_of}', which this one depends on, did not succeed."
    return job.ended(
        Outcome.FAILED,
        at=at,
        context={"error": "dependency_failed", "message": message, "reason": message, "dependency": because_of},
    )


class Waiters:
    """Who waits for whom, as far as this process knows; what is added is known until the second `turn` after it."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        self._next: dict[str, set[str]] = {}

    def add(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            for dependency in job.dependencies if job.is_blocked else ():
                self._known.setdefault(dependency, set()).add(job.id)
                self._next.setdefault(dependency, set()).add(job.id)

    def of(self, job_ids: Sequence[str]) -> Sequence[str]:
        return sorted(set().union(*(self._known.get(job_id, ()) for job_id in job_ids)))

    def turn(self) -> None:
        """Forget who was not added since the last turn."""
        self._known, self._next = self._next, {}


class DependencyResolver:
    """`follow` goes by the word of this process; `run` looks through the store for what others did, or an earlier life.

    Any number of them may run on one store: each write is conditional.
    """

    def __init__(
        self,
        *,
        jobs: JobStore,
        queue: JobQueue,
        search: JobSearch,
        event_bus: EventBus,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._jobs = jobs
        self._queue = queue
        self._search = search
        self._event_bus = event_bus
        self._clock = clock
        self._interval = interval
        self._waiters = Waiters()
        self._ended: list[str] = []
        self._word = asyncio.Event()
        event_bus.subscribe_to_changes(self._waiters.add)
        event_bus.subscribe_to_ends(self._hear)

    async def run(self) -> None:
        while True:
            await self._try(self.look)
            await self._clock.sleep(self._interval.total_seconds())

    async def follow(self) -> None:
        while True:
            await self._word.wait()
            self._word.clear()
            await self._try(self._settle_heard)

    async def look(self) -> None:
        """At every waiting job."""
        self._waiters.turn()
        after, page = "", await self._queue.blocked(after="", limit=PAGE)
        while page:
            self._waiters.add(page)
            await self._settle(page)
            after = page[-1].id
            page = await self._queue.blocked(after=after, limit=PAGE) if len(page) == PAGE else ()

    def _hear(self, jobs: Sequence[Job]) -> None:
        self._ended += [job.id for job in jobs if job.outcome is not None]
        self._word.set()

    async def _settle_heard(self) -> None:
        ended, self._ended = self._ended, []
        waiters = self._waiters.of(ended)
        if waiters:
            await self._settle([job for job in await self._jobs.get_many(waiters) if job.is_blocked])

    async def _settle(self, jobs: Sequence[Job]) -> None:
        """A failure is word for those that wait for the failed one, and so on down the chain."""
        outcomes = await self._search.outcomes(sorted({name for job in jobs for name in job.dependencies}))
        for job in jobs:
            after = resolve(job, outcomes, at=self._clock.now())
            if after is not None and await self._jobs.replace(job, after):
                self._tell(after)

    def _tell(self, job: Job) -> None:
        self._event_bus.publish_changes([job])
        if job.outcome is None:
            self._event_bus.publish_work()
        else:
            logger.info("dependency failed", job_id=job.id, trace_id=job.trace_id)
            self._event_bus.publish_ends([job])

    async def _try(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("dependents failed")
