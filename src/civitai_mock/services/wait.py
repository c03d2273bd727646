"""Wait until jobs have ended, for answers that are held back until then (`wait=true`)."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import Clock, JobSearch, Timer
from civitai_mock.services.event_feed import FollowEvents

logger = structlog.stdlib.get_logger()

LATENCY = timedelta(milliseconds=500)  # of the end of a job in another process


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """Waits until all jobs in `unfinished` have ended, but no longer than `until`; `ended` are those it heard of."""

    unfinished: set[str]
    until: datetime
    released: asyncio.Future[None]
    ended: dict[str, Job] = field(default_factory=dict)

    def release(self, *_: object) -> None:
        if not self.released.done():
            self.released.set_result(None)


class WaitForJobs:
    """Lets requests wait for jobs.

    The event bus ends a wait at once when the job runs in this process; the feed of events, which is followed while
    somebody waits, when it runs in another one.
    """

    def __init__(
        self, *, search: JobSearch, event_feed: FollowEvents, clock: Clock, limit: timedelta, most: int
    ) -> None:
        """`limit` is how long one wait may last; of more than `most` at once, the others end at once."""
        self._search = search
        self._event_feed = event_feed
        self._clock = clock
        self._limit = limit
        self._most = most
        self._waiting: dict[Waiter, None] = {}  # in the order of their coming, which is that of their limits
        self._waiters: dict[str, set[Waiter]] = {}  # by job id
        self._new: set[str] = set()  # job ids about which the store was not asked yet
        self._scans: set[asyncio.Task[None]] = set()
        self._next_limit: Timer | None = None
        self._is_stopped = False

    async def __call__(self, job_ids: Sequence[str], given_up: asyncio.Future[None]) -> Mapping[str, Job]:
        """Return when all jobs have ended, at the limit, when `given_up` is done, or at once if it may not wait.

        What ended in this process meanwhile is returned by id, but for taints as it was stored: whoever shows no taint
        need not read it again, which takes 60 of the 1,050 µs of a job that is waited for.
        """
        if self._is_stopped or len(self._waiting) >= self._most:
            return {}
        until = self._clock.now() + self._limit
        waiter = Waiter(unfinished=set(job_ids), until=until, released=asyncio.get_running_loop().create_future())
        self._add(waiter, job_ids)
        given_up.add_done_callback(waiter.release)
        try:
            await waiter.released
        finally:
            self._remove(waiter, job_ids)
        return waiter.ended

    def on_changes(self, jobs: Sequence[Job]) -> None:
        """Take notice of jobs that have a new event."""
        for job in jobs:
            if job.outcome is not None:
                for waiter in self._waiters.get(job.id, ()):
                    waiter.ended[job.id] = job
                self._mark_ended([job.id])

    def on_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        """Take notice of jobs that another process has changed."""
        self._mark_ended(entry.job_id for entry in entries if entry.outcome is not None)

    def stop(self) -> None:
        """End all waits now, and new ones at once."""
        self._is_stopped = True
        for waiter in self._waiting:
            waiter.release()

    def _add(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        self._waiting[waiter] = None
        for job_id in job_ids:
            self._waiters.setdefault(job_id, set()).add(waiter)
        if len(self._waiting) == 1:
            self._event_feed.follow(self, every=LATENCY)
        if self._next_limit is None:
            self._next_limit = self._clock.call_later(self._limit.total_seconds(), self._end_late)
        if not self._new:
            scan = asyncio.create_task(self._scan_new(), name="scan for new waiters")
            self._scans.add(scan)
            scan.add_done_callback(self._scans.discard)
        self._new.update(job_ids)

    def _remove(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        del self._waiting[waiter]
        for job_id in job_ids:
            others = self._waiters[job_id]
            others.discard(waiter)
            if not others:
                del self._waiters[job_id]
        if not self._waiting:
            self._rest()

    def _rest(self) -> None:
        """Do nothing any more, as nobody waits."""
        self._event_feed.unfollow(self)
        self._new.clear()
        for scan in self._scans:
            scan.cancel()
        if self._next_limit is not None:
            self._next_limit.cancel()
            self._next_limit = None

    def _end_late(self) -> None:
        """Release those whose time is over, and come again for the next one."""
        now = self._clock.now()
        self._next_limit = None
        for waiter in self._waiting:
            if waiter.until > now:
                self._next_limit = self._clock.call_later((waiter.until - now).total_seconds(), self._end_late)
                return
            waiter.release()

    async def _scan_new(self) -> None:
        """Ask about jobs that ended before their waiters came, for all that came in one turn of the event loop.

        What ends from now on is in the feed. A store that is away is asked again.
        """
        await self._event_feed.begun()
        job_ids, self._new = list(self._new), set()
        while job_ids and not await self._scan(job_ids):
            await self._clock.sleep(LATENCY.total_seconds())
            job_ids = [job_id for job_id in job_ids if job_id in self._waiters]

    async def _scan(self, job_ids: Sequence[str]) -> bool:
        """Ask the store which of these jobs have ended; a job that does not exist any more counts as ended.

        Return False if it does not answer.
        """
        try:
            outcomes = await self._search.outcomes(job_ids)
        except TransientError as error:
            logger.warning("store away", error=error.message)
            return False
        unfinished = {job_id for job_id, outcome in outcomes.items() if outcome is None}
        self._mark_ended(job_id for job_id in job_ids if job_id not in unfinished)
        return True

    def _mark_ended(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            for waiter in self._waiters.get(job_id, ()):
                waiter.unfinished.discard(job_id)
                if not waiter.unfinished:
                    waiter.release()
