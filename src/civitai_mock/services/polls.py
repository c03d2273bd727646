"""Polls: in mode `polls`, whoever asks for the status of a job is shown a stage, and moves the job to the next."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import structlog

from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import JobStore
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.shared_work import SharedWork

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.domain.workflow import Workflow

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0  # of a wait that could move nothing, unless something happens before

T = TypeVar("T")
Wait: TypeAlias = Callable[["asyncio.Future[None]"], Awaitable[T]]
FindJobs: TypeAlias = Callable[[], Awaitable[Sequence[Job]]]


class MovesJobs(Protocol):
    """Moves a job that nobody holds, and returns it as it is stored then; None if somebody else has changed it."""

    async def advance(self, job: Job) -> Job | None: ...

    async def succeed(self, job: Job) -> Job | None: ...


class PollJobs:
    """Counts who was shown a job, and moves it when it was shown often enough in its stage.

    The move is stored before the answer that showed the stage goes out, so the next look shows another. Several pollers
    share the looks at a stage; who counts one too many moves the job, too, as the one before may have died.
    """

    def __init__(
        self, *, jobs: JobStore, policy: ProgressPolicy, get_mover: Callable[[], MovesJobs], event_bus: EventBus
    ) -> None:
        self._jobs = jobs
        self._policy = policy
        self._get_mover = get_mover
        self._event_bus = event_bus
        self._moving: SharedWork[Job | None] = SharedWork(name="move of job")
        self._drivers: dict[str, set[asyncio.Event]] = {}  # by the ids of jobs and workflows that somebody waits for
        self._listens = False

    def concerns(self, job: JobSummary) -> bool:
        """Return whether looks move this job."""
        return isinstance(job, Job) and self._policy.gets_per_stage(job) is not None

    def concerns_jobs_of(self, workflow: "Workflow") -> bool:
        """Return whether looks move the jobs of a workflow, those included that it does not have yet."""
        return self._policy.gets_per_stage_in(workflow.progress) is not None

    async def shown(self, jobs: Iterable[JobSummary]) -> None:
        """Count one look at each of these jobs, as it is, and move those that were looked at often enough."""
        if concerned := [job for job in jobs if isinstance(job, Job) and self.concerns(job) and not job.is_blocked]:
            await asyncio.gather(*map(self._show, concerned))

    async def _show(self, job: Job) -> None:
        each = self._policy.gets_per_stage(job)
        if each is not None and await self._jobs.count_poll(job.id, job.seq) >= each:
            await self._move(job, self._get_mover().advance)

    async def _move(self, job: Job, move: Callable[[Job], Awaitable[Job | None]]) -> Job | None:
        """Move a job together with all who found it in this state."""

        async def begin() -> Job | None:
            return await move(job)

        return await self._moving.run(f"{job.id}/{job.seq}", begin)

    async def run_while(self, wait: Wait[T], given_up: "asyncio.Future[None]", find: FindJobs, ids: Sequence[str]) -> T:
        """Return what `wait` does, and move the jobs that `find` returns to their ends meanwhile.

        `ids` are those of the jobs or of the workflow: when one of them changes, there may be more to move.
        """
        driving = asyncio.create_task(self._drive(find, ids), name="moves for a wait")
        try:
            return await wait(given_up)
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)

    async def _drive(self, find: FindJobs, ids: Sequence[str]) -> None:
        if not self._listens:
            self._listens = True
            self._event_bus.subscribe_to_changes(self._on_changes)
            self._event_bus.subscribe_to_changes_elsewhere(self._on_changes_elsewhere)
        has_changed = asyncio.Event()
        for each in ids:
            self._drivers.setdefault(each, set()).add(has_changed)
        try:
            while True:
                has_changed.clear()
                if not await self._run_to_ends(find):
                    await _within(PAUSE_SECONDS, has_changed)
        finally:
            for each in ids:
                self._drivers[each].discard(has_changed)
                if not self._drivers[each]:
                    del self._drivers[each]

    async def _run_to_ends(self, find: FindJobs) -> bool:
        """Return whether something was moved, so that there may be more to move."""
        with ErrorBoundary("jobs not moved"):
            jobs = [job for job in await find() if self.concerns(job) and not job.is_blocked]
            after = await asyncio.gather(*(self._move(job, self._get_mover().succeed) for job in jobs))
            return any(new is None or new.seq != job.seq for job, new in zip(jobs, after, strict=True))
        return False

    def _on_changes(self, jobs: Sequence[Job]) -> None:
        for job in jobs if self._drivers else ():
            self._wake(job.id)
            if job.workflow is not None:
                self._wake(job.workflow.workflow_id)

    def _on_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        for entry in entries if self._drivers else ():
            self._wake(entry.job_id)

    def _wake(self, changed_id: str) -> None:
        for has_changed in self._drivers.get(changed_id, ()):
            has_changed.set()


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Return when the event is set, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
