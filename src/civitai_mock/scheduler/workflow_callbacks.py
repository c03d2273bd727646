"""Deliver what callbacks of workflows want to know: one event of a workflow at a time, in order."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import orjson

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.ports import WorkflowOutbox
from civitai_mock.scheduler.deliveries import DeliveryServices, Dispatcher
from civitai_mock.scheduler.delivery import Delivery, Next

if TYPE_CHECKING:
    from civitai_mock.domain.workflow import WorkflowSnapshot
    from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement
    from civitai_mock.scheduler.callback_faults import Outgoing

RenderCallback: TypeAlias = Callable[["WorkflowSnapshot", "Announcement"], JsonObject | None]


class WorkflowCallbackDispatcher(Dispatcher["DueAnnouncement"]):
    """Delivers the announcements of each workflow, one at a time; nothing of workflows is loaded before there is one.

    A scan for workflows finds what an earlier life has left.
    """

    what = "callbacks of workflows"
    looks_at_start = False

    def __init__(self, services: DeliveryServices, *, render: RenderCallback) -> None:
        super().__init__(services)
        self._workflows = services.stores.workflows
        self._outbox = services.stores.announcements
        self._render = render
        services.event_bus.subscribe_to_announcements(self.wake)

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence["DueAnnouncement"]:
        return await self._outbox.take_due(now, hold_until=hold_until, limit=limit)

    async def next_due(self) -> datetime | None:
        return await self._outbox.next_due()

    async def prepare(self, due: "DueAnnouncement") -> Delivery | None:
        """Return None for what is given up: events of a deleted workflow, and what is about nothing that is there."""
        snapshot = await self._workflows.get(due.workflow_id)
        if snapshot is None:
            await self.mark_failed(due, None, retry_at=None)
            return None
        workflow, announcement = snapshot.workflow, due.announcement
        self.work_for(workflow.trace_id, workflow_id=workflow.id)
        delivery = self._delivery(snapshot, announcement, failures=due.failures)
        if delivery is None:
            await self.mark_failed(due, None, retry_at=None)
        return delivery

    def outgoing(self, due: "DueAnnouncement", delivery: Delivery) -> "Outgoing":
        return OutgoingAnnouncement(dispatcher=self, outbox=self._outbox, due=due, delivery=delivery)

    async def next_delivery(self, due: "DueAnnouncement", announced: Sequence["Announcement"]) -> Delivery | Next:
        """Return what the same callback is to be told next, or whether it is certain that there will be something."""
        from civitai_mock.services.workflows.announce import has_more_to_tell  # noqa: PLC0415 - as above

        last, snapshot = due.announcement, await self._workflows.get(due.workflow_id)
        if snapshot is None:
            return Next.NEVER
        later = [each for each in announced if each.seq > last.seq and each.callback == last.callback]
        rendered = (self._delivery(snapshot, each, failures=0) for each in later)
        found = next((delivery for delivery in rendered if delivery is not None), None)
        if found is not None:
            return found
        return Next.EXPECTED if has_more_to_tell(snapshot, last.callback, announced) else Next.NEVER

    def _delivery(
        self, snapshot: "WorkflowSnapshot", announcement: "Announcement", *, failures: int
    ) -> Delivery | None:
        body = self._render(snapshot, announcement)
        if body is None:
            return None
        workflow = snapshot.workflow
        return Delivery(
            url=workflow.callbacks[announcement.callback].url,
            content=orjson.dumps(body),
            key=f"{workflow.id}/{announcement.seq}",
            seq=announcement.seq,
            failures=failures,
            at=announcement.at,
            jobs=_jobs_about(snapshot, announcement),
        )

    async def mark_delivered(self, due: "DueAnnouncement", attempt: CallbackAttempt) -> None:
        await self._outbox.mark_delivered(due.workflow_id, seq=attempt.seq, attempt=attempt)

    async def mark_failed(
        self, due: "DueAnnouncement", attempt: CallbackAttempt | None, *, retry_at: datetime | None
    ) -> None:
        seq = due.announcement.seq
        await self._outbox.mark_failed(due.workflow_id, seq=seq, retry_at=retry_at, attempt=attempt)


@dataclass(slots=True, kw_only=True)
class OutgoingAnnouncement:
    """Does what `Outgoing` says with an announcement of a workflow; `last` is the newest that was looked at."""

    dispatcher: WorkflowCallbackDispatcher
    outbox: WorkflowOutbox
    due: "DueAnnouncement"
    delivery: Delivery
    last: int = -1

    @property
    def faults(self) -> CallbackFaults:
        return self.due.faults

    async def keep_fault(self, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await self.outbox.keep_fault(self.due.workflow_id, seq=seq, fault=fault)

    async def skip(self, attempt: CallbackAttempt | None) -> None:
        await self.outbox.mark_delivered(self.due.workflow_id, seq=self.delivery.seq, attempt=attempt)

    async def postpone(self, until: datetime) -> None:
        await self.outbox.postpone(self.due.workflow_id, seq=self.delivery.seq, until=until)

    async def await_next(self) -> None:
        """Look again at once if something was announced meanwhile."""
        if not await self.outbox.await_next(self.due.workflow_id, seq=self.last):
            await self.postpone(self.delivery.at)

    async def next_delivery(self) -> Delivery | Next:
        announced = await self.outbox.announced(self.due.workflow_id)
        self.last = announced[-1].seq if announced else -1
        return await self.dispatcher.next_delivery(self.due, announced)

    async def post(self, delivery: Delivery) -> CallbackAttempt | None:
        return await self.dispatcher.post_early(self.due, delivery, after=self.delivery)


def _jobs_about(snapshot: "WorkflowSnapshot", announcement: "Announcement") -> Sequence[Job]:
    """Return the jobs of what was announced: a workflow, a step of it by its name, or a job by its id."""
    names = [step.name for step in snapshot.workflow.steps]
    return [
        job
        for job in snapshot.jobs
        if announcement.subject in {"", job.id} or _step_name(job, names) == announcement.subject
    ]


def _step_name(job: Job, names: Sequence[str]) -> str | None:
    return None if job.workflow is None else names[job.workflow.step]
