"""A store as a process sees it that is killed at one point: from then on nothing comes back."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import Budget, DueWebhook, JobCriteria, QueueState, Spending
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import JobStore

T = TypeVar("T")


class Moment(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class ThroughStore:
    """A store whose every call goes `_through` something."""

    def __init__(self, inner: JobStore) -> None:
        self._inner = inner

    async def _through(self, call: Awaitable[T]) -> T:
        return await call

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        return await self._through(self._inner.replace(before, after, if_not_renewed=if_not_renewed))

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        await self._through(self._inner.add(jobs, budget=budget))

    async def get(self, job_id: str) -> Job | None:
        return await self._through(self._inner.get(job_id))

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        return await self._through(self._inner.get_many(job_ids))

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.claim(claim, limit=limit))

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        return await self._through(self._inner.renew(worker_id, job_ids, until))

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.with_expired_lease(now, limit=limit))

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.held_by_dead(limit=limit))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.past_deadline(now, limit=limit))

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        return await self._through(self._inner.events(job_id))

    async def search(self, search: JobCriteria, *, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.search(search, limit=limit))

    async def waiting(self, *, after: str, limit: int) -> Sequence[Job]:
        return await self._through(self._inner.waiting(after=after, limit=limit))

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        return await self._through(self._inner.outcomes(job_ids))

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        return await self._through(self._inner.set_taint(job_ids, taint))

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        return await self._through(self._inner.spending(issued_by, since=since, until=until))

    async def queue(self, *, recent_since: datetime) -> QueueState:
        return await self._through(self._inner.queue(recent_since=recent_since))

    async def stands_still(self, *, since: datetime, now: datetime) -> bool:
        return await self._through(self._inner.stands_still(since=since, now=now))

    async def due_callbacks(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        return await self._through(self._inner.due_callbacks(now, hold_until=hold_until, limit=limit))

    async def told(self, job_id: str, *, seq: int) -> None:
        await self._through(self._inner.told(job_id, seq=seq))

    async def not_told(self, job_id: str, *, again_at: datetime | None) -> None:
        await self._through(self._inner.not_told(job_id, again_at=again_at))

    async def sweep(self, now: datetime) -> int:
        return await self._through(self._inner.sweep(now))


class FreezingStore(ThroughStore):
    """Freezes before or after the write that takes a job into `stage`, or when `frozen` is set.

    Once it is `buried`, whatever was stuck in it breaks off, so that what is left of the process can be tidied up.
    """

    def __init__(self, inner: JobStore, *, stage: Stage | None = None, moment: Moment = Moment.BEFORE) -> None:
        super().__init__(inner)
        self._stage = stage
        self._moment = moment
        self.frozen = asyncio.Event()
        self.buried = asyncio.Event()

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        fatal = after.stage is self._stage and not self.frozen.is_set()
        if fatal and self._moment is Moment.BEFORE:
            self.frozen.set()
        answer = await self._through(self._inner.replace(before, after, if_not_renewed=if_not_renewed))
        if fatal:
            self.frozen.set()
        return await self._through(_value(answer))

    async def _through(self, call: Awaitable[T]) -> T:
        if self.frozen.is_set():
            asyncio.ensure_future(call).cancel()
            await self.buried.wait()
            raise TransientError("This process is dead.")
        return await call


async def _value(value: T) -> T:
    return value
