"""Queue positions, computed from a snapshot of the queue, which is usually at most half a second old."""

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from operator import attrgetter
from typing import Self

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import as_number, as_object
from civitai_mock.domain.search import QueuedJob
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Clock, JobQueue

logger = structlog.stdlib.get_logger()

RECENT = timedelta(minutes=5)
MIN_LIFETIME = timedelta(milliseconds=500)
LIFETIME_PER_READING = 20  # the snapshot of a long queue lives so many times as long as it took to read it

COST = attrgetter("cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePosition:
    """Says what precedes a job; `throughput_rate` is in jobs per second.

    If no job ended recently, the estimate is made as if one had.
    """

    preceding_jobs: int
    preceding_cost: float
    throughput_rate: float
    estimated_start: timedelta
    estimated_start_at: datetime


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Holds jobs in the order in which they will be claimed; `costs[n]` is what the first `n` cost together."""

    jobs: Sequence[QueuedJob]
    costs: Sequence[float]

    @classmethod
    def of(cls, jobs: Sequence[QueuedJob]) -> Self:
        return cls(jobs, list(accumulate(map(COST, jobs), initial=0.0)))

    def preceding(self, job: QueuedJob) -> tuple[int, float]:
        """Return how many jobs come before this one, which need not be among them, and what they cost."""
        index = bisect_left(self.jobs, job)
        return index, self.costs[index]

    def has(self, job: QueuedJob) -> bool:
        index = bisect_left(self.jobs, job)
        return self.jobs[index : index + 1] == [job]


NOBODY = QueueLine.of([])


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """Shows the queue at one time; `ended_recently` counts jobs that had ended in the time `RECENT` before it.

    It is valid in real time until then, for its `lifetime`, unless the clock of its namespace, by which it was
    `taken_at` its time, is moved on.
    """

    valid_until: datetime
    lifetime: timedelta
    taken_at: datetime
    line: QueueLine
    ended_recently: int

    def position(self, job: QueuedJob, newer: QueueLine, now: datetime) -> QueuePosition:
        """Return a position among the jobs of the snapshot and the `newer` ones, which it does not have yet."""
        known_jobs, known_cost = self.line.preceding(job)
        newer_jobs, newer_cost = newer.preceding(job)
        return self.position_after(known_jobs + newer_jobs, known_cost + newer_cost, now)

    def position_after(self, jobs: int, cost: float, now: datetime) -> QueuePosition:
        """Return the position after so many jobs, which cost so much together."""
        wait = RECENT * jobs / max(self.ended_recently, 1)
        return QueuePosition(
            preceding_jobs=jobs,
            preceding_cost=cost,
            throughput_rate=self.ended_recently / RECENT.total_seconds(),
            estimated_start=wait,
            estimated_start_at=now + wait,
        )


class GetQueuePositions:
    """Finds out how many jobs are before queued ones; it reads the queue only when asked about such a job."""

    def __init__(self, *, queue: JobQueue, clock: Clock, system_clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._system_clock = system_clock
        self._snapshot: QueueSnapshot | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, jobs: Sequence[Job]) -> Mapping[str, QueuePosition]:
        """Return the positions of those jobs that nobody has claimed, by job id; none while the store is away."""
        queued = {QueuedJob.of(job): job for job in jobs if _is_queued(job)}
        if not queued:
            return {}
        # Only whoever finds no valid snapshot waits for the lock, so most requests go on at once: a lock would let them
        # on one by one, and their writes with them.
        try:
            snapshot = self._valid_snapshot() or await self._refresh()
        except TransientError as error:
            # A job that was just accepted must not look refused, or its client would submit it again.
            logger.warning("store away", error=error.message)
            return {}
        now = self._clock.now()
        newer = NOBODY
        if len(queued) > 1:
            newer = QueueLine.of([job for job in sorted(queued) if not snapshot.line.has(job)])
        positions = {job.id: snapshot.position(job, newer, now) for job in queued}
        flooded = [job for job in queued.values() if job.faults]
        return {**positions, **_flooded(flooded, snapshot, now)} if flooded else positions

    def _valid_snapshot(self) -> QueueSnapshot | None:
        snapshot = self._snapshot
        if snapshot is None or self._system_clock.now() >= snapshot.valid_until:
            return None
        passed = self._clock.now() - snapshot.taken_at
        return snapshot if passed <= self._clock.lasting(snapshot.lifetime) else None

    async def _refresh(self) -> QueueSnapshot:
        async with self._lock:
            self._snapshot = self._valid_snapshot() or await self._read_queue()
            return self._snapshot

    async def _read_queue(self) -> QueueSnapshot:
        started, taken_at = self._system_clock.now(), self._clock.now()
        state = await self._queue.snapshot(recent_since=taken_at - RECENT)
        finished = self._system_clock.now()
        valid_until = finished + max(MIN_LIFETIME, (finished - started) * LIFETIME_PER_READING)
        return QueueSnapshot(
            valid_until=valid_until,
            lifetime=valid_until - started,
            taken_at=taken_at,
            line=QueueLine.of(state.jobs),
            ended_recently=state.recent,
        )


def _is_queued(job: Job) -> bool:
    """Return whether nobody has begun with a job; one that requests move is between two stages without a claim.

    A job that a fault keeps waiting is claimed by who keeps it.
    """
    return (job.claim is None or bool(job.faults)) and job.outcome is None and job.stage is Stage.QUEUED


def _flooded(jobs: Sequence[Job], snapshot: QueueSnapshot, now: datetime) -> Mapping[str, QueuePosition]:
    """Return the positions of those jobs before which a fault puts others, of which there are more each minute."""
    from civitai_mock.domain.faults.actions import PresetWord  # noqa: PLC0415 - as mostly there are no faults
    from civitai_mock.domain.faults.job_effects import preset_value  # noqa: PLC0415 - as above

    positions = {}
    for job in jobs:
        flood = as_object(preset_value(job, PresetWord.FLOOD))
        if flood:
            minutes = (now - job.created_at) / timedelta(minutes=1)
            preceding = as_number(flood.get("preceding")) or 0
            others = int(preceding + (as_number(flood.get("perMinute")) or 0) * minutes)
            positions[job.id] = snapshot.position_after(others, others * job.cost, now)
    return positions
