"""Processes on one store that are paused, killed and started again, and a ComfyUI that lives through it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from tests.support.dates import START
from tests.support.through import Gate, ThroughJobStore

T = TypeVar("T")
MOST_LAG = 12


class SteppedClock(VirtualClock):
    """Its time of day may be set; who sleeps, sleeps by another clock, as everywhere."""

    def __init__(self) -> None:
        super().__init__(START)
        self._set = timedelta()

    def now(self) -> datetime:
        return super().now() + self._set

    def set_by(self, seconds: float) -> None:
        self._set += timedelta(seconds=seconds)


@dataclass(slots=True, kw_only=True)
class Fate:
    """What happens to one process: nothing comes back to it while it is paused, nor any more once it is killed.

    Its store takes some turns of the event loop for each call, so that everything may happen in between.
    """

    dice: random.Random
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    is_dead: bool = False

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def lag(self) -> None:
        for _ in range(self.dice.randrange(MOST_LAG)):
            await asyncio.sleep(0)
        await self.goes_on.wait()


class FatedClock(VirtualClock):
    """The clock of one process, which goes as everybody's does."""

    def __init__(self, clock: VirtualClock, fate: Fate) -> None:
        super().__init__(START)
        self._clock = clock
        self._fate = fate

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._fate.goes_on.wait()


class FatedGate(Gate):
    """The store as one process has it; `is_away` is true for all of them."""

    def __init__(self, fate: Fate, is_away: Callable[[], bool]) -> None:
        self._fate = fate
        self._is_away = is_away

    async def through(self, call: Awaitable[T]) -> T:
        calling: asyncio.Future[T] | None = None
        try:
            await self._fate.lag()
            if self._fate.is_dead or self._is_away():
                raise TransientError("The store does not answer.")
            calling = asyncio.ensure_future(call)
            answer = await calling
            await self._fate.lag()
        finally:
            if calling is None:
                asyncio.ensure_future(call).cancel()
        if self._fate.is_dead:
            raise TransientError("This process is dead.")
        return answer


@dataclass(frozen=True, slots=True)
class Written:
    """One change of a job that was stored."""

    before: Job
    after: Job


@dataclass(frozen=True, slots=True)
class RecordingJobStore(ThroughJobStore):
    """Keeps every change that is stored."""

    written: list[Written] = field(default_factory=list)

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        done = await self.gate.through(self.inner.replace(before, after, if_not_renewed=if_not_renewed))
        if done:
            self.written.append(Written(before, after))
        return done
