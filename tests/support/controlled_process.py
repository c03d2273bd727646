"""The clock and the store of a process that a test pauses and kills, and what it changed in the store."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar

from civitai_mock.clock import VirtualClock
from civitai_mock.clock.virtual import VirtualTimer
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from tests.support.dates import START
from tests.support.gated_stores import GatedJobStore, StoreGate

T = TypeVar("T")
MOST_LAG = 12


class SettableClock(VirtualClock):
    """Lets a test set its time of day; sleeps are measured by another clock, as everywhere."""

    def __init__(self) -> None:
        super().__init__(START)
        self._set = timedelta()

    def now(self) -> datetime:
        return super().now() + self._set

    def set_by(self, seconds: float) -> None:
        self._set += timedelta(seconds=seconds)


@dataclass(slots=True, kw_only=True)
class ProcessControl:
    """Pauses and kills one process: no call returns to it while it is paused, nor ever once it is killed.

    Its store takes some turns of the event loop for each call, so that everything may happen in between.
    """

    rng: random.Random
    may_run: asyncio.Event = field(default_factory=asyncio.Event)
    is_dead: bool = False

    def __post_init__(self) -> None:
        self.may_run.set()

    async def lag(self) -> None:
        for _ in range(self.rng.randrange(MOST_LAG)):
            await asyncio.sleep(0)
        await self.may_run.wait()


class ControlledClock(VirtualClock):
    """Is the clock of one process: it shows everybody's time, and wakes nobody while the process is paused."""

    def __init__(self, clock: VirtualClock, control: ProcessControl) -> None:
        super().__init__(START)
        self._clock = clock
        self._control = control
        self._waiting: set[asyncio.Task[Literal[True]]] = set()

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._control.may_run.wait()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(callback)
        self._clock.call_later(seconds, lambda: self._call_when_running(timer))
        return timer

    def _call_when_running(self, timer: VirtualTimer) -> None:
        if self._control.may_run.is_set():
            timer.call()
        else:
            waiting = asyncio.create_task(self._control.may_run.wait(), name="call of a paused process")
            self._waiting.add(waiting)
            waiting.add_done_callback(partial(self._call_after, timer))

    def _call_after(self, timer: VirtualTimer, waiting: "asyncio.Task[Literal[True]]") -> None:
        self._waiting.discard(waiting)
        if not waiting.cancelled():
            timer.call()


class ControlledGate(StoreGate):
    """Is the way of one process to its store; `is_away` is true for all processes."""

    def __init__(self, control: ProcessControl, is_away: Callable[[], bool]) -> None:
        self._control = control
        self._is_away = is_away

    async def pass_through(self, call: Awaitable[T]) -> T:
        calling: asyncio.Future[T] | None = None
        try:
            await self._control.lag()
            if self._control.is_dead or self._is_away():
                raise TransientError("The store does not answer.")
            calling = asyncio.ensure_future(call)
            answer = await calling
            await self._control.lag()
        finally:
            if calling is None:
                asyncio.ensure_future(call).cancel()
        if self._control.is_dead:
            raise TransientError("This process is dead.")
        return answer


@dataclass(frozen=True, slots=True)
class StoredChange:
    """Is one change of a job that was stored."""

    before: Job
    after: Job


@dataclass(frozen=True, slots=True)
class RecordingJobStore(GatedJobStore):
    """Keeps every change that is stored."""

    changes: list[StoredChange] = field(default_factory=list)

    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        call = self.inner.replace(before, after, between=between, if_not_renewed=if_not_renewed)
        done = await self.gate.pass_through(call)
        if done:
            self.changes.append(StoredChange(before, after))
        return done
