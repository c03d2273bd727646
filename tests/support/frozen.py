"""A store as a process sees it that is killed at one point: from then on nothing comes back."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Stores
from tests.support.through import Gate, ThroughJobStore, through

T = TypeVar("T")


class Moment(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Freezing(Gate):
    """Freezes before or after the write that takes a job into `stage`, or when `frozen` is set.

    Once it is `buried`, whatever was stuck in it breaks off, so that what is left of the process can be tidied up.
    """

    def __init__(self, stores: Stores, *, stage: Stage | None = None, moment: Moment = Moment.BEFORE) -> None:
        self.frozen = asyncio.Event()
        self.buried = asyncio.Event()
        jobs = FreezingJobStore(stores.jobs, self, stage, moment, self.frozen)
        self.stores = replace(through(stores, self), jobs=jobs)

    async def through(self, call: Awaitable[T]) -> T:
        if self.frozen.is_set():
            asyncio.ensure_future(call).cancel()
            await self.buried.wait()
            raise TransientError("This process is dead.")
        return await call


@dataclass(frozen=True, slots=True)
class FreezingJobStore(ThroughJobStore):
    stage: Stage | None
    moment: Moment
    frozen: asyncio.Event

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        fatal = after.stage is self.stage and not self.frozen.is_set()
        if fatal and self.moment is Moment.BEFORE:
            self.frozen.set()
        answer = await self.gate.through(self.inner.replace(before, after, if_not_renewed=if_not_renewed))
        if fatal:
            self.frozen.set()
        return await self.gate.through(_value(answer))


async def _value(value: T) -> T:
    return value
