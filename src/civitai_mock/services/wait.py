"""Wait until jobs have ended, for answers that are held back until then (`wait=true`)."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobSearch

logger = structlog.stdlib.get_logger()

POLL = timedelta(milliseconds=500)


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

    The event bus ends a wait at once when the job runs in this process; for jobs that end in other processes, one poll
    asks the store for all waiters together.
    """

    def __init__(self, *, search: JobSearch, clock: Clock, limit: timedelta, most: int) -> None:
        """`limit` is how long one wait may last; of more than `most` at once, the others end at once."""
        self._search = search
        self._clock = clock
        self._limit = limit
        self._most = most
        self._waiting = 0
        self._waiters: dict[str, set[Waiter]] = {}  # by job id
        self._new: set[str] = set()  # job ids about which the store was not asked yet
        self._scanner: asyncio.Task[None] | None = None
        self._poller: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def __call__(self, job_ids: Sequence[str], given_up: asyncio.Future[None]) -> Mapping[str, Job]:
        """Return when all jobs have ended, at the limit, when `given_up` is done, or at once if it may not wait.

        What ended in this process meanwhile is returned by id, but for taints as it was stored: whoever shows no taint
        need not read it again, which takes 60 of the 1,050 µs of a job that is waited for.
        """
        if self._is_stopped or self._waiting >= self._most:
            return {}
        self._waiting += 1
        until = self._clock.now() + self._limit
        waiter = Waiter(unfinished=set(job_ids), until=until, released=asyncio.get_running_loop().create_future())
        self._add(waiter, job_ids)
        given_up.add_done_callback(waiter.release)
        try:
            await waiter.released
        finally:
            self._waiting -= 1
            self._remove(waiter, job_ids)
        return waiter.ended

    def on_changes(self, jobs: Sequence[Job]) -> None:
        """Take notice of jobs that have a new event."""
        for job in jobs:
            if job.outcome is not None:
                for waiter in self._waiters.get(job.id, ()):
                    waiter.ended[job.id] = job
                self._mark_ended([job.id])

    def stop(self) -> None:
        """End all waits now, and new ones at once."""
        self._is_stopped = True
        for waiter in self._all_waiters():
            waiter.release()

    def _add(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            self._waiters.setdefault(job_id, set()).add(waiter)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll(), name="poll for waiters")
        if not self._new:
            self._scanner = asyncio.create_task(self._scan_new(), name="scan for new waiters")
        self._new.update(job_ids)

    def _remove(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            others = self._waiters[job_id]
            others.discard(waiter)
            if not others:
                del self._waiters[job_id]
        if not self._waiters and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _scan_new(self) -> None:
        """Ask about jobs that ended before their waiters came, for all that came in one turn of the event loop."""
        job_ids, self._new = list(self._new), set()
        await self._scan(job_ids)

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL.total_seconds())
            await self._scan(list(self._waiters))
            next_scan = self._clock.now() + POLL
            for waiter in self._all_waiters():
                if waiter.until < next_scan:
                    waiter.release()

    async def _scan(self, job_ids: Sequence[str]) -> None:
        """Ask the store which of these jobs have ended; a job that does not exist any more counts as ended."""
        try:
            outcomes = await self._search.outcomes(job_ids)
        except TransientError as error:
            logger.warning("store away", error=error.message)
            return
        unfinished = {job_id for job_id, outcome in outcomes.items() if outcome is None}
        self._mark_ended(job_id for job_id in job_ids if job_id not in unfinished)

    def _mark_ended(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            for waiter in self._waiters.get(job_id, ()):
                waiter.unfinished.discard(job_id)
                if not waiter.unfinished:
                    waiter.release()

    def _all_waiters(self) -> set[Waiter]:
        return {waiter for waiters in self._waiters.values() for waiter in waiters}
