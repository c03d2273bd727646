"""Hold answers until jobs have ended."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobSearch

logger = structlog.stdlib.get_logger()

POLL = timedelta(milliseconds=500)


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """Somebody who waits for all of `left`, but no longer than `until`."""

    left: set[str]
    until: datetime
    released: asyncio.Future[None]

    def release(self) -> None:
        if not self.released.done():
            self.released.set_result(None)


class WaitForJobs:
    """Word of this process's own scheduler ends a wait at once; one poll for all waiters hears of the others'."""

    def __init__(self, *, search: JobSearch, clock: Clock, limit: timedelta) -> None:
        self._search = search
        self._clock = clock
        self._limit = limit
        self._waiters: dict[str, set[Waiter]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._stopped = False

    async def __call__(self, job_ids: Sequence[str]) -> None:
        """Return when all have ended, at the limit, or at once after `stop`."""
        if self._stopped:
            return
        until = self._clock.now() + self._limit
        waiter = Waiter(left=set(job_ids), until=until, released=asyncio.get_running_loop().create_future())
        self._enter(waiter, job_ids)
        try:
            await self._look(job_ids)  # what ended before anybody listened
            await waiter.released
        finally:
            self._leave(waiter, job_ids)

    def changed(self, jobs: Sequence[Job]) -> None:
        """Hear of jobs that have a new event."""
        self._strike(job.id for job in jobs if job.outcome is not None)

    def stop(self) -> None:
        """Let everybody go, now and from now on."""
        self._stopped = True
        for waiter in self._everybody():
            waiter.release()

    def _enter(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            self._waiters.setdefault(job_id, set()).add(waiter)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll(), name="poll for waiters")

    def _leave(self, waiter: Waiter, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            others = self._waiters[job_id]
            others.discard(waiter)
            if not others:
                del self._waiters[job_id]
        if not self._waiters and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL.total_seconds())
            await self._look(list(self._waiters))
            late = self._clock.now() + POLL  # the next look would come too late for these
            for waiter in self._everybody():
                if waiter.until < late:
                    waiter.release()

    async def _look(self, job_ids: Sequence[str]) -> None:
        """A job that is not there any more has ended, too."""
        try:
            outcomes = await self._search.outcomes(job_ids)
        except TransientError as error:
            logger.warning("store away", error=error.message)
            return
        unfinished = {job_id for job_id, outcome in outcomes.items() if outcome is None}
        self._strike(job_id for job_id in job_ids if job_id not in unfinished)

    def _strike(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            for waiter in self._waiters.get(job_id, ()):
                waiter.left.discard(job_id)
                if not waiter.left:
                    waiter.release()

    def _everybody(self) -> set[Waiter]:
        return {waiter for waiters in self._waiters.values() for waiter in waiters}
