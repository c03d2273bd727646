"""Stores as a process sees them that is killed at one point: from then on no call returns."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Stores
from tests.support.gated_stores import GatedJobStore, StoreGate, gated

T = TypeVar("T")


class Moment(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FreezingStores(StoreGate):
    """Freeze before or after the write that takes a job into `stage`, or when `frozen` is set.

    Once they are `released`, every call that is stuck in them fails, so that the rest of the process can be tidied up.
    """

    def __init__(self, stores: Stores, *, stage: Stage | None = None, moment: Moment = Moment.BEFORE) -> None:
        self.frozen = asyncio.Event()
        self.released = asyncio.Event()
        jobs = FreezingJobStore(stores.jobs, self, stage, moment, self.frozen)
        self.stores = replace(gated(stores, self), jobs=jobs)

    async def pass_through(self, call: Awaitable[T]) -> T:
        if self.frozen.is_set():
            asyncio.ensure_future(call).cancel()
            await self.released.wait()
            raise TransientError("This process is dead.")
        return await call


class DyingStores(FreezingStores):
    """Freeze before or after the write of a number, counted from 1, of whatever kind it is."""

    def __init__(self, stores: Stores, *, write: int, moment: Moment) -> None:
        super().__init__(stores)
        self.stores = gated(stores, self)
        self._left = write
        self._moment = moment

    async def write(self, call: Awaitable[T]) -> T:
        self._left -= 1
        is_fatal = self._left == 0
        if is_fatal and self._moment is Moment.BEFORE:
            self.frozen.set()
        answer = await self.pass_through(call)
        if is_fatal:
            self.frozen.set()
        return await self.pass_through(_value(answer))


@dataclass(frozen=True, slots=True)
class FreezingJobStore(GatedJobStore):
    stage: Stage | None
    moment: Moment
    frozen: asyncio.Event

    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        stages = {after.stage, *(event.stage for event in between)}
        fatal = self.stage in stages and not self.frozen.is_set()
        if fatal and self.moment is Moment.BEFORE:
            self.frozen.set()
        call = self.inner.replace(before, after, between=between, if_not_renewed=if_not_renewed)
        answer = await self.gate.pass_through(call)
        if fatal:
            self.frozen.set()
        return await self.gate.pass_through(_value(answer))


async def _value(value: T) -> T:
    return value
