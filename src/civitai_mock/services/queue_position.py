"""Queue positions, computed from a snapshot of the queue that is refreshed now and then."""

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Protocol, Self, TypeAlias

from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobQueue

RECENT = timedelta(minutes=5)
MAX_AGE = timedelta(milliseconds=500)
REST = 20  # an image of a long queue is kept for so many times as long as it took

SortKey: TypeAlias = tuple[int, datetime, str]


class Queueing(Protocol):
    """What a place in the queue depends on, and what a job costs."""

    @property
    def id(self) -> str: ...

    @property
    def priority(self) -> int: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def cost(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePosition:
    """`throughput_rate` is in jobs per second; where none ended lately, the estimate is as if one had."""

    preceding_jobs: int
    preceding_cost: float
    throughput_rate: float
    estimated_start: timedelta
    estimated_start_at: datetime


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Places in order; `costs` has the sum for each number of jobs from the front."""

    places: Sequence[SortKey]
    costs: Sequence[float]

    @classmethod
    def of(cls, jobs: Sequence[Queueing]) -> Self:
        """`jobs` in the order in which they will be claimed."""
        return cls([_place(job) for job in jobs], list(accumulate((job.cost for job in jobs), initial=0.0)))

    def preceding(self, place: SortKey) -> tuple[int, float]:
        """How many jobs, and what they cost."""
        index = bisect_left(self.places, place)
        return index, self.costs[index]

    def has(self, place: SortKey) -> bool:
        index = bisect_left(self.places, place)
        return self.places[index : index + 1] == [place]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The queue as it was; `recent` jobs had ended lately."""

    good_until: datetime
    line: QueueLine
    recent: int

    def position(self, place: SortKey, newer: QueueLine, now: datetime) -> QueuePosition:
        """`newer` are jobs that are not in the image."""
        known_jobs, known_cost = self.line.preceding(place)
        newer_jobs, newer_cost = newer.preceding(place)
        wait = RECENT * (known_jobs + newer_jobs) / max(self.recent, 1)
        return QueuePosition(
            preceding_jobs=known_jobs + newer_jobs,
            preceding_cost=known_cost + newer_cost,
            throughput_rate=self.recent / RECENT.total_seconds(),
            estimated_start=wait,
            estimated_start_at=now + wait,
        )


class GetQueuePositions:
    """Costs nothing while nobody asks about a job that is in the queue."""

    def __init__(self, *, queue: JobQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._image: QueueSnapshot | None = None
        self._taking = asyncio.Lock()

    async def __call__(self, jobs: Sequence[Job]) -> Mapping[str, QueuePosition]:
        """By id, of those that nobody has claimed."""
        queued = sorted((job for job in jobs if job.claim is None and job.outcome is None), key=_place)
        if not queued:
            return {}
        image, now = await self._current(), self._clock.now()
        newer = QueueLine.of([job for job in queued if not image.line.has(_place(job))])
        return {job.id: image.position(_place(job), newer, now) for job in queued}

    async def _current(self) -> QueueSnapshot:
        """A good image needs no turn: turns let requests on one by one, and their writes with them."""
        return self._good() or await self._in_turn()

    async def _in_turn(self) -> QueueSnapshot:
        async with self._taking:
            self._image = self._good() or await self._take()
            return self._image

    def _good(self) -> QueueSnapshot | None:
        image = self._image
        return image if image is not None and self._clock.now() < image.good_until else None

    async def _take(self) -> QueueSnapshot:
        started = self._clock.now()
        state = await self._queue.snapshot(recent_since=started - RECENT)
        finished = self._clock.now()
        return QueueSnapshot(
            good_until=finished + max(MAX_AGE, (finished - started) * REST),
            line=QueueLine.of(state.jobs),
            recent=state.recent,
        )


def _place(job: Queueing) -> SortKey:
    """Smaller is sooner."""
    return (-job.priority, job.created_at, job.id)
