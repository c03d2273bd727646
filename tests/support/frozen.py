"""A store as a process sees it that is killed at one point: from then on nothing comes back."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Claim, Job
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import JobStore

T = TypeVar("T")


class Moment(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FreezingStore:
    """Freezes before or after the write that takes a job into `stage`."""

    def __init__(self, inner: JobStore, *, stage: Stage, moment: Moment) -> None:
        self._inner = inner
        self._stage = stage
        self._moment = moment
        self.frozen = asyncio.Event()

    async def replace(self, before: Job, after: Job) -> bool:
        fatal = after.stage is self._stage and not self.frozen.is_set()
        if fatal and self._moment is Moment.BEFORE:
            self.frozen.set()
        answer = await self._unless_frozen(self._inner.replace(before, after))
        if fatal:
            self.frozen.set()
        return await self._unless_frozen(_value(answer))

    async def _unless_frozen(self, call: Awaitable[T]) -> T:
        if self.frozen.is_set():
            asyncio.ensure_future(call).cancel()
            await asyncio.get_running_loop().create_future()
        return await call

    async def add(self, jobs: Sequence[Job]) -> None:
        await self._unless_frozen(self._inner.add(jobs))

    async def get(self, job_id: str) -> Job | None:
        return await self._unless_frozen(self._inner.get(job_id))

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        return await self._unless_frozen(self._inner.get_many(job_ids))

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
        return await self._unless_frozen(self._inner.claim(claim, limit=limit))

    async def renew(self, worker_id: str, until: datetime) -> frozenset[str]:
        return await self._unless_frozen(self._inner.renew(worker_id, until))

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self._unless_frozen(self._inner.with_expired_lease(now, limit=limit))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self._unless_frozen(self._inner.past_deadline(now, limit=limit))

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        return await self._unless_frozen(self._inner.events(job_id))

    async def sweep(self, now: datetime) -> int:
        return await self._unless_frozen(self._inner.sweep(now))


async def _value(value: T) -> T:
    return value
