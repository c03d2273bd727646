"""Look after what nobody holds: claims of dead workers, jobs past their deadline, data past its time."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from itertools import count

import structlog

from civitai_mock.domain.claims import MAX_DEATHS, deaths_in_a_row
from civitai_mock.domain.clock_state import LATEST_DATE
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, Stores
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

PAGE = 500
SWEEP_SECONDS = 60.0
SCANS_PER_LEASE = 4
MOST_HELD = 10_000
LOOK_SECONDS, PATIENCE_LOOKS = 0.2, 5
GONE = "The worker did not renew its lease."
OVERDUE = "The job reached its expireAt."


@dataclass(slots=True, kw_only=True)
class Suspects:
    """Counts how often in a row each lease was found to be over.

    A worker that is alive renews at half a lease: what has not changed over scans that span more than that is not
    merely late because the store was away, the process was paused or a clock was moved.
    """

    scans: int
    _seen: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def confirm(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those of `jobs`, all of whose leases are over now, that were found so in `scans` scans in a row."""
        leases = {(job.id, job.claim.until): job for job in jobs if job.claim}
        self._seen = {lease: self._seen.get(lease, 0) + 1 for lease in leases}
        return [job for lease, job in leases.items() if self._seen[lease] >= self.scans]

    def forget(self) -> None:
        """Begin again: a scan that failed says nothing, nor do those before it."""
        self._seen.clear()


class Reaper:
    """Takes jobs from dead workers, ends those that are overdue, and deletes what is kept no longer.

    Any number of them may run on one store, as each write is conditional.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        event_bus: EventBus,
        clock: Clock,
        system_clock: Clock,
        in_flight: InFlight,
        interval: timedelta,
        lease: timedelta,
    ) -> None:
        self._jobs = stores.jobs
        self._queue = stores.queue
        self._blobs = stores.blobs
        self._namespace_events = stores.namespace_events
        self._event_bus = event_bus
        self._clock = clock
        self._system_clock = system_clock
        self._in_flight = in_flight
        self._interval = min(interval, lease / SCANS_PER_LEASE)
        self._suspects = Suspects(scans=1 + math.ceil(lease / 2 / self._interval))

    async def run(self) -> None:
        """Reap at once, as an earlier life may have left something, then at intervals."""
        while True:
            if not await self._try(self._take_abandoned):
                self._suspects.forget()
            await self._try(self.expire)
            await self._system_clock.sleep(self._interval.total_seconds())

    async def run_sweeps(self) -> None:
        while True:
            await self._try(self.sweep)
            await self._system_clock.sleep(SWEEP_SECONDS)

    async def expire(self) -> None:
        """End the jobs whose time is over."""
        overdue = await self._queue.past_deadline(self._clock.now(), limit=PAGE)
        while overdue:
            expired = await self._replace_all([(job, self._expire(job)) for job in overdue])
            self._event_bus.publish_changes(expired)
            self._event_bus.publish_ends(expired)
            has_more = len(overdue) == PAGE and expired
            overdue = await self._queue.past_deadline(self._clock.now(), limit=PAGE) if has_more else ()

    async def sweep(self) -> None:
        """Delete what is kept no longer."""
        now = self._clock.now()
        jobs, blobs = await self._jobs.sweep(now), await self._blobs.sweep(now)
        await self._namespace_events.sweep(now)
        if jobs or blobs:
            logger.info("swept", jobs=jobs, blobs=blobs)

    async def take_over(self, worker_id: str) -> None:
        """Take the jobs of all other workers, whatever their leases; who lives has a moment to give them back."""
        await self._take(await self._queue.held_by_dead(limit=MOST_HELD))
        looks = count()
        while others := await self._held_by_others(worker_id):
            if next(looks) >= PATIENCE_LOOKS:
                await self._take(others)
            await self._system_clock.sleep(LOOK_SECONDS)

    async def take_back(self, worker_id: str) -> None:
        """Take the jobs that a worker has and does not work on: an answer to a claim was lost, or a release failed.

        Only call it while no claim of the worker is under way.
        """
        while left := [job for job in await self._held() if self._is_left(job, worker_id)]:
            await self._take(left)

    def _is_left(self, job: Job, worker_id: str) -> bool:
        return job.claim is not None and job.claim.process_worker_id == worker_id and not self._in_flight.holds(job)

    async def _held(self) -> Sequence[Job]:
        return await self._queue.with_expired_lease(LATEST_DATE, limit=MOST_HELD)

    async def _held_by_others(self, worker_id: str) -> Sequence[Job]:
        held = await self._held()
        return [job for job in held if job.claim is not None and job.claim.process_worker_id != worker_id]

    async def _take_abandoned(self) -> None:
        await self._take(await self._find_abandoned())

    async def _take(self, jobs: Sequence[Job]) -> None:
        taken = await self._replace_all([(job, await self._abandon(job)) for job in jobs])
        if taken:
            logger.warning("claims expired", job_ids=[job.id for job in taken])
            self._event_bus.publish_work()
        self._event_bus.publish_changes(taken)
        self._event_bus.publish_ends(taken)

    async def _find_abandoned(self) -> Sequence[Job]:
        """Return claimed jobs that nobody works on; what is in flight here is alive, whatever its lease says."""
        over = await self._queue.with_expired_lease(self._system_clock.now(), limit=PAGE)
        confirmed = self._suspects.confirm([job for job in over if not self._in_flight.holds(job)])
        dead = await self._queue.held_by_dead(limit=PAGE)
        return list({job.id: job for job in [*dead, *confirmed]}.values())

    async def _replace_all(self, changes: Sequence[tuple[Job, Job]]) -> Sequence[Job]:
        """Return the changed jobs, without those that somebody else changed, or renewed, first."""
        writes = (
            self._jobs.replace(before, after, if_not_renewed=after.outcome is not Outcome.EXPIRED)
            for before, after in changes
        )
        written = await asyncio.gather(*writes)
        return [after for (_, after), done in zip(changes, written, strict=True) if done]

    async def _abandon(self, job: Job) -> Job:
        """Return the job without its holder; as each death has an event, one with few events had few of them."""
        may_be_many = job.seq >= MAX_DEATHS
        deaths = deaths_in_a_row(await self._jobs.events(job.id)) if may_be_many else 0
        return job.abandoned(at=self._clock.now(), reason=GONE, deaths=deaths)

    def _expire(self, job: Job) -> Job:
        return job.ended(Outcome.EXPIRED, at=self._clock.now(), context={"reason": OVERDUE})

    async def _try(self, action: Callable[[], Awaitable[None]]) -> bool:
        with ErrorBoundary("reaper failed") as boundary:
            await action()
        return boundary.error is None
