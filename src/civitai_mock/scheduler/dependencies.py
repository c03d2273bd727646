"""Unblock the jobs whose dependencies have succeeded, and fail those whose dependencies have not."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import FeedEntry
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, JobQueue, JobSearch, JobStore
from civitai_mock.services.activity import Signal
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents

logger = structlog.stdlib.get_logger()

PAGE = 500
SCAN_SECONDS = 60.0
PAUSE_SECONDS = 1.0  # after what a store that is away, or a bug, broke off


class DependencyResolver:
    """Resolves blocked jobs: `run` when a job that they depend on ends, in this process or another, or is over already.

    `run_scans` finds those of an earlier life, and those of which neither bus nor feed can tell: of a process that died
    within its write. Any number of resolvers may run on one store, as each write is conditional.
    """

    def __init__(
        self,
        *,
        jobs: JobStore,
        queue: JobQueue,
        search: JobSearch,
        event_bus: EventBus,
        event_feed: FollowEvents,
        clock: Clock,
        system_clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._queue = queue
        self._search = search
        self._event_bus = event_bus
        self._event_feed = event_feed
        self._clock = clock
        self._system_clock = system_clock
        self._waiters = Waiters()
        self._ended: list[str] = []
        self._blocked: list[str] = []  # jobs that are new here, and may depend on what is over already
        self._wake_up = Signal(event_bus.activity)
        event_bus.subscribe_to_changes(self._on_changed)
        event_bus.subscribe_to_ends(self._on_ended)
        event_bus.subscribe_to_changes_elsewhere(self._on_changed_elsewhere)

    async def run(self) -> None:
        try:
            while True:
                await self._wake_up.wait()
                if not (await self._try(self._resolve_new) and await self._try(self._resolve_waiters)):
                    await self._scan_in_the_end()
        finally:
            self._wake_up.close()

    async def run_scans(self) -> None:
        await self._event_feed.begun()  # so that nothing happens between the scan and what is told
        while True:
            await self._scan_in_the_end()
            await self._system_clock.sleep(SCAN_SECONDS)

    async def _scan_in_the_end(self) -> None:
        while not await self._try(self.scan):
            await self._system_clock.sleep(PAUSE_SECONDS)

    async def scan(self) -> None:
        """Resolve every blocked job of the store."""
        self._waiters.rotate()
        after, page = "", await self._queue.blocked(after="", limit=PAGE)
        while page:
            self._waiters.add(page)
            await self._resolve(page)
            after = page[-1].id
            page = await self._queue.blocked(after=after, limit=PAGE) if len(page) == PAGE else ()

    def _on_changed(self, jobs: Sequence[Job]) -> None:
        blocked = [job for job in jobs if job.is_blocked]
        if blocked:
            self._waiters.add(blocked)
            self._blocked += [job.id for job in blocked]
            self._wake_up.set()

    def _on_ended(self, jobs: Sequence[Job]) -> None:
        self._ended += [job.id for job in jobs if job.outcome is not None]
        self._wake_up.set()

    def _on_changed_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        self._ended += [entry.job_id for entry in entries if entry.outcome is not None]
        self._blocked += [entry.job_id for entry in entries if entry.is_blocked]
        if self._ended or self._blocked:
            self._wake_up.set()

    async def _resolve_new(self) -> None:
        """Resolve jobs that are blocked by what ended before this process knew of them."""
        blocked, self._blocked = self._blocked, []
        if blocked:
            jobs = [job for job in await self._jobs.get_many(blocked) if job.is_blocked]
            self._waiters.add(jobs)
            await self._resolve(jobs)

    async def _resolve_waiters(self) -> None:
        ended, self._ended = self._ended, []
        waiters = self._waiters.blocked_by(ended)
        if waiters:
            await self._resolve([job for job in await self._jobs.get_many(waiters) if job.is_blocked])

    async def _resolve(self, jobs: Sequence[Job]) -> None:
        """Store what becomes of the jobs; each failure is published, and so goes down the chain."""
        outcomes = await self._search.outcomes(sorted({job_id for job in jobs for job_id in job.dependencies}))
        for job in jobs:
            after = resolve(job, outcomes, at=self._clock.now())
            if after is not None and await self._jobs.replace(job, after):
                self._publish(after)

    def _publish(self, job: Job) -> None:
        self._event_bus.publish_changes([job])
        if job.outcome is None:
            self._event_bus.publish_work()
        else:
            logger.info("dependency failed", job_id=job.id, trace_id=job.trace_id)
            self._event_bus.publish_ends([job])

    async def _try(self, action: Callable[[], Awaitable[None]]) -> bool:
        with ErrorBoundary("dependencies not resolved") as boundary:
            await action()
        return boundary.error is None


def resolve(job: Job, outcomes: Mapping[str, Outcome | None], *, at: datetime) -> Job | None:
    """Return what becomes of a blocked job, or None while it has to wait; a dependency without an entry is deleted."""
    for job_id in job.dependencies:
        if outcomes.get(job_id, Outcome.DELETED) not in {None, Outcome.SUCCEEDED}:
            return _failed(job, dependency=job_id, at=at)
    has_to_wait = any(outcomes[job_id] is None for job_id in job.dependencies)
    return None if has_to_wait else job.unblocked(at=at)


def _failed(job: Job, *, dependency: str, at: datetime) -> Job:
    message = f"The job '{dependency}', which this one depends on, did not succeed."
    return job.ended(
        Outcome.FAILED,
        at=at,
        context={"error": "dependency_failed", "message": message, "reason": message, "dependency": dependency},
    )


class Waiters:
    """Knows which jobs wait for which, as far as this process has seen.

    A job is known until the second `rotate` after it was last added.
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        self._next: dict[str, set[str]] = {}

    def add(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            for dependency in job.dependencies if job.is_blocked else ():
                self._known.setdefault(dependency, set()).add(job.id)
                self._next.setdefault(dependency, set()).add(job.id)

    def blocked_by(self, job_ids: Sequence[str]) -> Sequence[str]:
        return sorted(set().union(*(self._known.get(job_id, ()) for job_id in job_ids)))

    def rotate(self) -> None:
        """Forget the jobs that were not added since the last rotation."""
        self._known, self._next = self._next, {}
