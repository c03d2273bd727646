"""The job roles of a store behind a gate that every call passes: what doubles of a store are made of."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.money import NO_LIMIT, Balances, Spent
from civitai_mock.domain.search import Backlog, Budget, DueWebhook, FeedPage, JobCriteria, QueueState, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement, FoundWorkflows, WorkflowCriteria
from civitai_mock.ports import (
    EventFeed,
    JobQueue,
    JobSearch,
    JobStore,
    Stores,
    WebhookOutbox,
    WorkflowOutbox,
    WorkflowStore,
)

T = TypeVar("T")


class StoreGate:
    """Lets every call pass; a double overrides `pass_through`, or `write` for those that change what is stored."""

    async def pass_through(self, call: Awaitable[T]) -> T:
        return await call

    async def write(self, call: Awaitable[T]) -> T:
        return await self.pass_through(call)


@dataclass(frozen=True, slots=True)
class GatedJobStore:
    inner: JobStore
    gate: StoreGate

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        await self.gate.write(self.inner.add(jobs, budget=budget))

    async def spent(self, issued_by: str) -> float:
        return await self.gate.pass_through(self.inner.spent(issued_by))

    async def has_open_workflows(self) -> bool:
        return await self.gate.pass_through(self.inner.has_open_workflows())

    async def get(self, job_id: str) -> Job | None:
        return await self.gate.pass_through(self.inner.get(job_id))

    async def get_summary(self, job_id: str) -> JobSummary | None:
        return await self.gate.pass_through(self.inner.get_summary(job_id))

    async def settled_at(self, job_id: str) -> datetime | None:
        return await self.gate.pass_through(self.inner.settled_at(job_id))

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.get_many(job_ids))

    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        call = self.inner.replace(before, after, between=between, if_not_renewed=if_not_renewed)
        return await self.gate.write(call)

    async def latest_event_at(self) -> datetime | None:
        return await self.gate.pass_through(self.inner.latest_event_at())

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        return await self.gate.pass_through(self.inner.events(job_id))

    async def count_poll(self, job_id: str, seq: int) -> int:
        return await self.gate.write(self.inner.count_poll(job_id, seq))

    async def keep_faults(self, job: Job, faults: Sequence[JobFault]) -> bool:
        return await self.gate.write(self.inner.keep_faults(job, faults))

    async def delete(self, job_id: str) -> bool:
        return await self.gate.write(self.inner.delete(job_id))

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        return await self.gate.write(self.inner.set_taint(job_ids, taint))

    async def change_slot(self, job_id: str, slot: Slot) -> bool:
        return await self.gate.write(self.inner.change_slot(job_id, slot))

    async def sweep(self, now: datetime) -> int:
        return await self.gate.write(self.inner.sweep(now))


@dataclass(frozen=True, slots=True)
class GatedJobQueue:
    inner: JobQueue
    gate: StoreGate

    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:
        return await self.gate.write(self.inner.claim(claim, limit=limit, only_timed=only_timed))

    async def claim_jobs(self, claim: Claim, job_ids: Collection[str]) -> Sequence[Job]:
        return await self.gate.write(self.inner.claim_jobs(claim, job_ids))

    async def set_priority(self, job_id: str, priority: int) -> bool:
        return await self.gate.write(self.inner.set_priority(job_id, priority))

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        return await self.gate.write(self.inner.renew(worker_id, job_ids, until))

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.with_expired_lease(now, limit=limit))

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.held_by_dead(limit=limit))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.past_deadline(now, limit=limit))

    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.blocked(after=after, limit=limit))

    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        return await self.gate.pass_through(self.inner.snapshot(recent_since=recent_since))

    async def backlog(self) -> Backlog:
        return await self.gate.pass_through(self.inner.backlog())

    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        return await self.gate.pass_through(self.inner.is_stalled(since=since, now=now))


@dataclass(frozen=True, slots=True)
class GatedJobSearch:
    inner: JobSearch
    gate: StoreGate

    async def find(self, criteria: JobCriteria, *, limit: int) -> Sequence[Job]:
        return await self.gate.pass_through(self.inner.find(criteria, limit=limit))

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        return await self.gate.pass_through(self.inner.outcomes(job_ids))

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        return await self.gate.pass_through(self.inner.spending(issued_by, since=since, until=until))


@dataclass(frozen=True, slots=True)
class GatedWebhookOutbox:
    inner: WebhookOutbox
    gate: StoreGate

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        return await self.gate.write(self.inner.take_due(now, hold_until=hold_until, limit=limit))

    async def mark_delivered(self, job_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        await self.gate.write(self.inner.mark_delivered(job_id, seq=seq, attempt=attempt))

    async def next_due(self) -> datetime | None:
        return await self.gate.pass_through(self.inner.next_due())

    async def mark_failed(
        self, job_id: str, *, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        await self.gate.write(self.inner.mark_failed(job_id, retry_at=retry_at, attempt=attempt))

    async def postpone(self, job_id: str, *, until: datetime) -> None:
        await self.gate.write(self.inner.postpone(job_id, until=until))

    async def await_next(self, job_id: str, *, seq: int) -> bool:
        return await self.gate.write(self.inner.await_next(job_id, seq=seq))

    async def keep_fault(self, job_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await self.gate.write(self.inner.keep_fault(job_id, seq=seq, fault=fault))

    async def state(self, job_id: str) -> CallbackState | None:
        return await self.gate.pass_through(self.inner.state(job_id))


@dataclass(frozen=True, slots=True)
class GatedEventFeed:
    inner: EventFeed
    gate: StoreGate
    settling: timedelta

    async def last_position(self) -> str:
        return await self.gate.pass_through(self.inner.last_position())

    async def after(self, position: str, *, limit: int) -> FeedPage:
        return await self.gate.pass_through(self.inner.after(position, limit=limit))


@dataclass(frozen=True, slots=True)
class GatedWorkflowStore:
    inner: WorkflowStore
    gate: StoreGate

    async def add(self, workflow: Workflow, jobs: Sequence[Job], *, balances: Balances = NO_LIMIT) -> Workflow:
        return await self.gate.write(self.inner.add(workflow, jobs, balances=balances))

    async def get(self, workflow_id: str) -> WorkflowSnapshot | None:
        return await self.gate.pass_through(self.inner.get(workflow_id))

    async def settled_version(self, workflow_id: str) -> int | None:
        return await self.gate.pass_through(self.inner.settled_version(workflow_id))

    async def replace(
        self, before: Workflow, after: Workflow, *, jobs: Sequence[Job] = (), balances: Balances = NO_LIMIT
    ) -> bool:
        return await self.gate.write(self.inner.replace(before, after, jobs=jobs, balances=balances))

    async def add_missing_jobs(self, jobs: Sequence[Job]) -> int:
        return await self.gate.write(self.inner.add_missing_jobs(jobs))

    async def jobs_of(self, workflow_ids: Sequence[str]) -> Mapping[str, Sequence[Job]]:
        return await self.gate.pass_through(self.inner.jobs_of(workflow_ids))

    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        return await self.gate.pass_through(self.inner.find(criteria, limit=limit))

    async def delete(self, workflow: Workflow) -> bool:
        return await self.gate.write(self.inner.delete(workflow))

    async def unfinished(self, *, after: str, limit: int) -> Sequence[Workflow]:
        return await self.gate.pass_through(self.inner.unfinished(after=after, limit=limit))

    async def spent(self, owner: str) -> Spent:
        return await self.gate.pass_through(self.inner.spent(owner))


@dataclass(frozen=True, slots=True)
class GatedWorkflowOutbox:
    inner: WorkflowOutbox
    gate: StoreGate

    async def announce(self, workflow_id: str, announcements: Sequence[Announcement]) -> bool:
        return await self.gate.write(self.inner.announce(workflow_id, announcements))

    async def announced(self, workflow_id: str) -> Sequence[Announcement]:
        return await self.gate.pass_through(self.inner.announced(workflow_id))

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueAnnouncement]:
        return await self.gate.write(self.inner.take_due(now, hold_until=hold_until, limit=limit))

    async def next_due(self) -> datetime | None:
        return await self.gate.pass_through(self.inner.next_due())

    async def mark_delivered(self, workflow_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        await self.gate.write(self.inner.mark_delivered(workflow_id, seq=seq, attempt=attempt))

    async def mark_failed(
        self, workflow_id: str, *, seq: int, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        await self.gate.write(self.inner.mark_failed(workflow_id, seq=seq, retry_at=retry_at, attempt=attempt))

    async def postpone(self, workflow_id: str, *, seq: int, until: datetime) -> None:
        await self.gate.write(self.inner.postpone(workflow_id, seq=seq, until=until))

    async def await_next(self, workflow_id: str, *, seq: int) -> bool:
        return await self.gate.write(self.inner.await_next(workflow_id, seq=seq))

    async def keep_fault(self, workflow_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await self.gate.write(self.inner.keep_fault(workflow_id, seq=seq, fault=fault))

    async def state(self, workflow_id: str) -> CallbackState | None:
        return await self.gate.pass_through(self.inner.state(workflow_id))


def gated(stores: Stores, gate: StoreGate) -> Stores:
    """Return `stores` with all job roles behind the gate, in whatever epoch."""
    return replace(
        stores,
        in_epoch=lambda epoch: gated(stores.in_epoch(epoch), gate),
        jobs=GatedJobStore(stores.jobs, gate),
        queue=GatedJobQueue(stores.queue, gate),
        search=GatedJobSearch(stores.search, gate),
        feed=GatedEventFeed(stores.feed, gate, stores.feed.settling),
        webhooks=GatedWebhookOutbox(stores.webhooks, gate),
        workflows=GatedWorkflowStore(stores.workflows, gate),
        announcements=GatedWorkflowOutbox(stores.announcements, gate),
    )
