"""Show what goes on in a namespace now: which jobs wait and for what, which run, and which ended a moment ago."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import JobCriteria
from civitai_mock.domain.stages import MovedBy, Stage
from civitai_mock.ports import Clock, JobQueue, JobSearch, JobStore
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.queue_position import RECENT

MOST_SHOWN = 100
MOST_LOOKED_AT = 1000
JUST_ENDED = timedelta(minutes=1)
FAR_AWAY = datetime(9000, 1, 1, tzinfo=UTC)  # before it every lease ends, and every deadline is


class WaitsFor(StrEnum):
    """Names what has to come before a waiting job can go on."""

    WORKER = "worker"
    JOBS = "jobs"
    ORDER = "order"
    LOOK = "look"
    CLAIMING = "claiming"  # which is paused


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob:
    """Is a job that waits; one that a worker is to take has a place in the queue, from 1 on."""

    job: Job
    waits_for: WaitsFor
    position: int | None = None
    estimated_start_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Holds what goes on; of many jobs only the first are in a list, but `waits` and `runs` count up to 1,000 of them.

    `per_second` is how many ended a second, of the last five minutes.
    """

    waiting: Sequence[WaitingJob]
    running: Sequence[Job]
    ended: Sequence[Job]
    waits: int
    runs: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOverview:
    """Reads what goes on; an index answers each question, however many jobs there are."""

    jobs: JobStore
    queue: JobQueue
    search: JobSearch
    policy: ProgressPolicy
    clock: Clock

    async def __call__(self) -> Overview:
        now = self.clock.now()
        state = await self.queue.snapshot(recent_since=now - RECENT)
        held = await self.queue.with_expired_lease(FAR_AWAY, limit=MOST_LOOKED_AT)
        unfinished = await self.queue.past_deadline(FAR_AWAY, limit=MOST_LOOKED_AT)
        queued = {queued.id: place for place, queued in enumerate(state.jobs, start=1)}
        moved = [job for job in unfinished if job.claim is None and job.id not in queued]
        running = [*held, *(job for job in moved if job.stage is not Stage.QUEUED)]
        others = [job for job in moved if job.stage is Stage.QUEUED]
        read = await self.jobs.get_many([job.id for job in state.jobs[:MOST_SHOWN]])
        first = [job for job in read if job.claim is None and job.outcome is None]  # as the queue goes on meanwhile
        each = RECENT / max(state.recent, 1)
        waiting = [self._waiting(job, queued.get(job.id), now=now, each=each) for job in (*first, *others)]
        return Overview(
            waiting=waiting[:MOST_SHOWN],
            running=running[:MOST_SHOWN],
            ended=await self._just_ended(now),
            waits=len(queued) + len(others),
            runs=len(running),
            per_second=state.recent / RECENT.total_seconds(),
        )

    def _waiting(self, job: Job, place: int | None, *, now: datetime, each: timedelta) -> WaitingJob:
        waits_for = self._cause(job)
        if place is None or waits_for not in {WaitsFor.WORKER, WaitsFor.CLAIMING}:
            return WaitingJob(job=job, waits_for=waits_for)
        if waits_for is WaitsFor.CLAIMING:
            return WaitingJob(job=job, waits_for=waits_for, position=place)
        start = now + each * (place - 1)
        return WaitingJob(job=job, waits_for=waits_for, position=place, estimated_start_at=start)

    def _cause(self, job: Job) -> WaitsFor:
        if job.is_blocked:
            return WaitsFor.JOBS
        if self.policy.gets_per_stage(job) is not None:
            return WaitsFor.LOOK
        is_moved = job.moved_by is MovedBy.REQUESTS or (job.moved_by is None and self.policy.only_timed)
        if is_moved:
            return WaitsFor.ORDER
        return WaitsFor.CLAIMING if self.policy.is_paused else WaitsFor.WORKER

    async def _just_ended(self, now: datetime) -> Sequence[Job]:
        """Return those that ended within a minute, of the youngest ones, the last one first."""
        youngest = await self.search.find(JobCriteria(), limit=MOST_SHOWN)
        ended = [job for job in youngest if job.outcome is not None and job.last_event.at > now - JUST_ENDED]
        return sorted(ended, key=lambda job: job.last_event.at, reverse=True)
