"""Look after what nobody holds: claims of the dead, jobs past their deadline, data past its time."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.claims import MAX_DEATHS, deaths_in_a_row
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import BlobStore, Clock, JobQueue, JobStore
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

PAGE = 500
SWEEP_SECONDS = 60.0
LOOKS_IN_A_LEASE = 4
GONE = "The worker did not renew its lease."


@dataclass(slots=True, kw_only=True)
class Suspects:
    """Leases that are over, and how often in a row they were found so.

    A worker that is alive renews at half a lease: what has not changed over looks that span more than that is not
    merely late because the store was away, the process was paused or a clock was moved.
    """

    looks: int
    _seen: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def confirmed(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those of `jobs`, all of whose leases are over now, that were found so often enough."""
        leases = {(job.id, job.claim.until): job for job in jobs if job.claim}
        self._seen = {lease: self._seen.get(lease, 0) + 1 for lease in leases}
        return [job for lease, job in leases.items() if self._seen[lease] >= self.looks]

    def forget(self) -> None:
        """A look that failed says nothing, nor do those before it."""
        self._seen.clear()


class Reaper:
    """Any number of them may run on one store: each write is conditional."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        queue: JobQueue,
        blobs: BlobStore,
        event_bus: EventBus,
        clock: Clock,
        in_flight: InFlight,
        interval: timedelta,
        lease: timedelta,
    ) -> None:
        self._jobs = jobs
        self._queue = queue
        self._blobs = blobs
        self._event_bus = event_bus
        self._clock = clock
        self._in_flight = in_flight
        self._interval = min(interval, lease / LOOKS_IN_A_LEASE)
        self._suspects = Suspects(looks=1 + math.ceil(lease / 2 / self._interval))

    async def run(self) -> None:
        """Reap at once (leftovers of an earlier life), then at intervals."""
        while True:
            if not await self._try(self.reap):
                self._suspects.forget()
            await self._clock.sleep(self._interval.total_seconds())

    async def run_sweeps(self) -> None:
        while True:
            await self._try(self.sweep)
            await self._clock.sleep(SWEEP_SECONDS)

    async def reap(self) -> None:
        back = await self._written([(job, await self._abandoned(job)) for job in await self._left_behind()])
        late = await self._queue.past_deadline(self._clock.now(), limit=PAGE)
        ended = await self._written([(job, self._expired(job)) for job in late])
        if back:
            logger.warning("claims expired", job_ids=[job.id for job in back])
            self._event_bus.publish_work()
        self._event_bus.publish_changes([*back, *ended])
        self._event_bus.publish_ends([*back, *ended])

    async def _left_behind(self) -> Sequence[Job]:
        """Claimed jobs that nobody works on: what is in flight here is alive, whatever its lease says."""
        over = await self._queue.with_expired_lease(self._clock.now(), limit=PAGE)
        confirmed = self._suspects.confirmed([job for job in over if not self._in_flight.serves(job)])
        dead = await self._queue.held_by_dead(limit=PAGE)
        return list({job.id: job for job in [*dead, *confirmed]}.values())

    async def _written(self, changes: Sequence[tuple[Job, Job]]) -> Sequence[Job]:
        """The changed jobs, without those that somebody else changed, or renewed, first."""
        writes = (
            self._jobs.replace(before, after, if_not_renewed=after.outcome is not Outcome.EXPIRED)
            for before, after in changes
        )
        written = await asyncio.gather(*writes)
        return [after for (_, after), done in zip(changes, written, strict=True) if done]

    async def sweep(self) -> None:
        now = self._clock.now()
        jobs, blobs = await self._jobs.sweep(now), await self._blobs.sweep(now)
        if jobs or blobs:
            logger.info("swept", jobs=jobs, blobs=blobs)

    async def _abandoned(self, job: Job) -> Job:
        """Each death has an event of its own, so a job with few events had few of them."""
        may_be_many = job.seq >= MAX_DEATHS
        deaths = deaths_in_a_row(await self._jobs.events(job.id)) if may_be_many else 0
        return job.abandoned(at=self._clock.now(), reason=GONE, deaths=deaths)

    def _expired(self, job: Job) -> Job:
        return job.ended(Outcome.EXPIRED, at=self._clock.now(), context={"reason": "The job reached its expireAt."})

    async def _try(self, action: Callable[[], Awaitable[None]]) -> bool:
        try:
            await action()
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("reaper failed")
        else:
            return True
        return False
