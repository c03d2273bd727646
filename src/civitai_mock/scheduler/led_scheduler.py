"""Run the jobs of a namespace in this process whenever that is for this process to do.

In real time any number of schedulers may work on one namespace. Where time is moved there is one, which has the lead:
only who knows of everything that is at work can say when nothing is. Where there is a fleet one moves its pods.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NamespaceResetError, TransientError
from civitai_mock.ports import Clock, JobStore, NamespaceStore
from civitai_mock.scheduler.advance_time import AdvanceTime
from civitai_mock.scheduler.scheduler import Scheduler
from civitai_mock.services.namespace_clock import EditClock, ObeyedClock

if TYPE_CHECKING:
    from civitai_mock.domain.clock_setting import AdvanceOrder

logger = structlog.stdlib.get_logger()

LEASE = timedelta(seconds=4)
RENEW_SECONDS = 1.2
RETRY_SECONDS = 0.5  # of who does not have the lead
SETTLE_SECONDS = 1.5


@dataclass(slots=True, kw_only=True)
class Lead:
    """Is the lead of one namespace, which one process at a time has; `clock` is the real one."""

    name: str
    holder: str
    store: NamespaceStore
    clock: Clock
    _until: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    @property
    def is_held(self) -> bool:
        return self.clock.now() < self._until

    async def take(self) -> bool:
        """Take the lead, or keep it; return whether this process has it. While the store is away it keeps what it has.

        Where no other process can see the store there is nobody to take it from.
        """
        now = self.clock.now()
        until = now + LEASE
        try:
            if self.store.is_private or await self.store.hold(self.name, self.holder, now=now, until=until):
                self._until = until
            else:
                self._until = now
        except TransientError as error:
            logger.warning("store away", error=error.message)
        return self.is_held

    async def give_back(self) -> None:
        """Let another process have it at once."""
        if self.is_held and not self.store.is_private:
            with suppress(TransientError):
                await self.store.release(self.name, self.holder)
        self._until = self.clock.now()


class LedScheduler:
    """Has a scheduler run while it may, and advances the clock as it is told."""

    def __init__(
        self,
        *,
        make: Callable[[datetime | None], Scheduler],
        claimed_at: datetime | None,
        lead: Lead,
        obeyed: ObeyedClock,
        edit_clock: EditClock,
        jobs: JobStore,
        has_fleet: Callable[[], bool],
    ) -> None:
        """`make` returns a scheduler, for the last claim under its worker id so far: first that is `claimed_at`."""
        self._claimed_at = claimed_at
        self.jobs_left = 0  # how many jobs were not given back at the stop
        self._make = make
        self._lead = lead
        self._clock = obeyed.clock
        self._obeyed = obeyed
        self._edit_clock = edit_clock
        self._jobs = jobs
        self._has_fleet = has_fleet
        self._had_fleet = has_fleet()
        self._scheduler: Scheduler | None = None
        self._is_stopping = False
        self._changed = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._found: AdvanceOrder | None = None  # what was ordered when this process took the lead
        self._has_all_jobs = False  # no other process has any
        obeyed.subscribe(self._on_changed)

    @property
    def is_idle(self) -> bool:
        """Return whether it works on nothing at present."""
        return self._obeyed.setting.advance is None and (self._scheduler is None or self._scheduler.is_idle)

    @property
    def fault(self) -> str | None:
        """Return why it takes no jobs; None while it does, or while that is for another process to do."""
        if self._scheduler is not None:
            return self._scheduler.fault
        return None if self._needs_lead and not self._is_stopping else "the scheduler does not run"

    @property
    def claimed_at(self) -> datetime | None:
        """Return the last claim under this worker id."""
        return self._claimed_at if self._scheduler is None else self._scheduler.claimed_at

    @property
    def leased_until(self) -> datetime | None:
        return None if self._scheduler is None else self._scheduler.leased_until

    def jobs_in_flight(self) -> Mapping[str, int]:
        return {} if self._scheduler is None else self._scheduler.jobs_in_flight()

    def stop(self) -> None:
        """Claim nothing more; the grace time begins with the first call, but not for who would sleep through it."""
        self._is_stopping = True
        self._is_settled.set()
        self._changed.set()
        if self._scheduler is not None:
            self._scheduler.stop()

    def abandon(self) -> None:
        """Stop at once, and write nothing, as the namespace was reset."""
        self._is_stopping = True
        self._is_settled.set()
        self._changed.set()
        if self._scheduler is not None:
            self._scheduler.abandon()

    async def settled(self) -> None:
        """Return when it works as the clock's setting asks for, or stops or has ended; at last after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._is_settled.wait()

    async def run(self) -> None:
        """Work until it is stopped."""
        try:
            while not self._is_stopping:
                if not self._needs_lead or await self._may_lead():
                    await self._run_scheduler()
                else:
                    self._is_settled.set()
                    await self._next_change(RETRY_SECONDS)
        finally:
            self._is_settled.set()
            await self._lead.give_back()

    @property
    def _needs_lead(self) -> bool:
        """Return whether one process alone is to work: time is moved, or pods are."""
        return self._clock.is_moved or self._has_fleet()

    def notice_fleet(self) -> None:
        """Work as one process alone does if there is a fleet now, or as any does if there is none any more."""
        has_fleet = self._has_fleet()
        if has_fleet != self._had_fleet:
            self._had_fleet = has_fleet
            self._on_changed()

    def _on_changed(self) -> None:
        if not self._is_stopping:
            self._is_settled.clear()
        self._changed.set()

    async def _may_lead(self) -> bool:
        """Take or keep the lead, and note what was left to do by whoever had it before."""
        had_it = self._lead.is_held
        has_it = await self._lead.take()
        if has_it and not had_it:
            self._found, self._has_all_jobs = self._obeyed.setting.advance, False
        return has_it

    async def _run_scheduler(self) -> None:
        self._scheduler = scheduler = self._make(self._claimed_at)
        running = asyncio.create_task(scheduler.run(), name="led scheduler")
        running.add_done_callback(lambda _: self._changed.set())
        try:
            await self._lead_while(scheduler, running)
        finally:
            scheduler.stop()
            try:
                await running
            finally:
                self._claimed_at = scheduler.claimed_at
                self.jobs_left = scheduler.jobs_left
                self._scheduler = None

    async def _lead_while(self, scheduler: Scheduler, running: asyncio.Task[None]) -> None:
        """Return when the scheduler has ended, or when it is for another process to work."""
        advance: AdvanceTime | None = None
        advancing: asyncio.Task[None] | None = None
        try:
            while not running.done() and not self._is_stopping:
                if not self._needs_lead:
                    await self._lead.give_back()
                    advance = None
                elif not await self._may_lead():
                    logger.info("another process leads", namespace=self._edit_clock.name)
                    return
                elif not self._clock.is_moved:
                    advance = None
                else:
                    advance = advance or scheduler.advance_time_by(self._clock)
                    if self._obeyed.setting.advance is not None and (advancing is None or advancing.done()):
                        advancing = asyncio.create_task(self._advance(advance, scheduler), name="advance of time")
                self._is_settled.set()
                await self._next_change(RENEW_SECONDS if self._needs_lead else None)
        finally:
            if advancing is not None:
                advancing.cancel()
                await asyncio.wait([advancing])

    async def _advance(self, advance: AdvanceTime, scheduler: Scheduler) -> None:
        """Carry out what is ordered; what breaks off is begun again with the next renewal of the lead."""
        try:
            while (order := self._obeyed.setting.advance) is not None:
                await self._take_over(scheduler)
                await advance.to(order.to)
                await self._edit_clock.finish(order, self._clock.state)
        except (TransientError, NamespaceResetError) as error:
            logger.warning("clock not advanced", error=error.message)
        except Exception:
            logger.exception("clock not advanced")

    async def _take_over(self, scheduler: Scheduler) -> None:
        """Go on where a process has come to that died while it advanced, and take the jobs of all others."""
        found, self._found = self._found, None
        if found is not None:
            latest = await self._jobs.latest_event_at()
            if latest is not None and self._clock.now() < latest and (found.to is None or latest <= found.to):
                self._clock.set(self._clock.state.moved_to(latest, self._lead.clock.now()))
        if not self._has_all_jobs:
            await scheduler.take_over()
            self._has_all_jobs = True

    async def _next_change(self, seconds: float | None) -> None:
        """Return when the setting of the clock has changed, or the work has ended, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()
