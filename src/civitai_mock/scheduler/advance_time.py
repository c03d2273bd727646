"""Advance the time of a namespace: what falls due on the way happens at its time, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from civitai_mock.domain.clock_state import LATEST_DATE, frozen
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import Clock, JobQueue, MovedClock
from civitai_mock.scheduler.job_writer import when_store_answers
from civitai_mock.scheduler.reaper import Reaper
from civitai_mock.services.event_bus import EventBus

T = TypeVar("T")
PAUSE_SECONDS = 0.2  # while the store is away


class Deadlines:
    """Knows when the next unfinished job expires; the store is only asked where nobody here can know."""

    def __init__(self, *, queue: JobQueue, event_bus: EventBus) -> None:
        self._queue = queue
        self._is_known = False
        self._next: datetime | None = None
        event_bus.subscribe_to_changes(self._on_changed)
        event_bus.subscribe_to_changes_elsewhere(self._on_changed_elsewhere)

    async def next(self) -> datetime | None:
        if not self._is_known:
            self._is_known = True
            first = await self._queue.past_deadline(LATEST_DATE, limit=1)
            self._next = min((job.expire_at for job in first), default=None)
        return self._next

    def forget(self) -> None:
        self._is_known = False

    def _on_changed(self, jobs: Sequence[Job]) -> None:
        if self._is_known:
            new = [job.expire_at for job in jobs if job.seq == 0]
            self._next = min([*new, *([] if self._next is None else [self._next])], default=None)

    def _on_changed_elsewhere(self, _: Sequence[FeedEntry]) -> None:
        self._is_known = False


class AdvanceTime:
    """Moves the clock of a namespace, in the one process that runs its jobs, from due time to due time.

    At each of them it goes on when everything has come to rest, so the order of all that happens is that of the due
    times, and the same on each run. What takes real time, such as a receiver that does not answer, holds up the clock.
    """

    def __init__(
        self,
        *,
        clock: MovedClock,
        system_clock: Clock,
        queue: JobQueue,
        event_bus: EventBus,
        reaper: Reaper,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        """`catch_up` makes this process begin with all that is stored, whoever stored it."""
        self._clock = clock
        self._system_clock = system_clock
        self._event_bus = event_bus
        self._activity = event_bus.activity
        self._deadlines = Deadlines(queue=queue, event_bus=event_bus)
        self._reaper = reaper
        self._catch_up = catch_up
        self._advancing = asyncio.Lock()

    async def to(self, target: datetime | None) -> None:
        """Return when all that falls due until then, or else next (None), has happened, and its callbacks were tried.

        A clock that goes by itself stands meanwhile, and then goes on from there. Cancelled, it goes on from where it
        has come to.
        """
        async with self._advancing:
            resumed = self._clock.state
            self._clock.set(frozen(self._clock.now()))
            try:
                await self._when_store_answers(self._catch_up)
                await self._run_until(await self._next_target() if target is None else target)
            finally:
                self._deadlines.forget()
                self._clock.set(resumed.moved_to(self._clock.now(), self._system_clock.now()))

    async def _next_target(self) -> datetime:
        """Return when something falls due next; now if nothing will."""
        await self._activity.rest()
        self._deadlines.forget()  # as a job that it knew may have ended
        return await self._next_due() or self._clock.now()

    async def _run_until(self, target: datetime) -> None:
        while (due := await self._next_due()) is not None and due <= target:
            timer_due = self._clock.next_due()
            if timer_due is not None and timer_due <= due:
                self._clock.run_next()  # a job that ends in the very moment of its deadline has ended in time
            else:
                self._clock.move_to(max(due, self._clock.now()))
                await self._when_store_answers(self._reaper.expire)
                self._deadlines.forget()
        self._clock.move_to(max(target, self._clock.now()))
        await self._when_store_answers(self._reaper.sweep)
        await self._activity.rest()

    async def _next_due(self) -> datetime | None:
        """Return when something falls due next, once everything has come to rest.

        Before a job is let expire, it is looked for jobs to claim once more: one that was stored a moment ago, and not
        published yet, is not to expire for want of a claim.
        """
        checked: datetime | None = None
        while True:
            await self._activity.rest()
            deadline = await self._when_store_answers(self._deadlines.next)
            if not self._activity.is_at_rest:
                continue
            timer_due = self._clock.next_due()
            if deadline is None or (timer_due is not None and timer_due <= deadline):
                return timer_due
            if deadline == checked:
                return deadline
            checked = deadline
            self._deadlines.forget()
            self._event_bus.publish_work()

    async def _when_store_answers(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await when_store_answers(
            ask, clock=self._system_clock, pause=PAUSE_SECONDS, on_away=self._deadlines.forget
        )
