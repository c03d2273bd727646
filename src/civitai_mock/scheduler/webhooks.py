"""Deliver the events of jobs to their webhooks: all of them, in order, each until it arrives or is given up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import DueWebhook, FeedEntry
from civitai_mock.ports import WebhookOutbox
from civitai_mock.scheduler.deliveries import DeliveryServices, Dispatcher
from civitai_mock.scheduler.delivery import Delivery, Next

if TYPE_CHECKING:
    from civitai_mock.scheduler.callback_faults import Outgoing

Render = Callable[[Job, JobEvent], bytes]


class WebhookDispatcher(Dispatcher[DueWebhook]):
    """Delivers the events of each job, one at a time."""

    what = "webhooks of jobs"

    def __init__(self, services: DeliveryServices, *, render: Render) -> None:
        super().__init__(services)
        self._jobs = services.stores.jobs
        self._outbox = services.stores.webhooks
        self._render = render
        services.event_bus.subscribe_to_changes(self._on_changed)
        services.event_bus.subscribe_to_changes_elsewhere(self._on_changed_elsewhere)

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        return await self._outbox.take_due(now, hold_until=hold_until, limit=limit)

    async def next_due(self) -> datetime | None:
        return await self._outbox.next_due()

    async def prepare(self, due: DueWebhook) -> Delivery | None:
        """Return None if the job was deleted in the meantime."""
        job = due.job
        self.work_for(job.trace_id, job_id=job.id)
        event = await self._next_event(due)
        return None if event is None else self._delivery(job, event, failures=due.failures)

    def outgoing(self, due: DueWebhook, delivery: Delivery) -> "Outgoing":
        return OutgoingWebhook(dispatcher=self, outbox=self._outbox, due=due, delivery=delivery)

    async def next_delivery(self, job: Job, seq: int) -> Delivery | Next:
        """Return the event of a job after one, or whether there will be one."""
        events = await self._jobs.events(job.id)
        found = next((event for event in events if event.seq > seq), None)
        if found is not None:
            return self._delivery(job, found, failures=0)
        return Next.NEVER if not events or events[-1].job_has_completed else Next.EXPECTED

    def _delivery(self, job: Job, event: JobEvent, *, failures: int) -> Delivery:
        return Delivery(
            url=job.callback_url or "",
            content=self._render(job, event),
            key=f"{job.id}/{event.seq}",
            seq=event.seq,
            failures=failures,
            at=event.at,
            jobs=[job],
        )

    async def mark_delivered(self, due: DueWebhook, attempt: CallbackAttempt) -> None:
        await self._outbox.mark_delivered(due.job.id, seq=attempt.seq, attempt=attempt)

    async def mark_failed(self, due: DueWebhook, attempt: CallbackAttempt | None, *, retry_at: datetime | None) -> None:
        await self._outbox.mark_failed(due.job.id, retry_at=retry_at, attempt=attempt)

    async def _next_event(self, due: DueWebhook) -> JobEvent | None:
        if due.delivered_seq + 1 == due.job.seq:
            return due.job.last_event
        events = await self._jobs.events(due.job.id)
        return next((event for event in events if event.seq > due.delivered_seq), None)

    def _on_changed(self, jobs: Sequence[Job]) -> None:
        if any(job.callback_url is not None for job in jobs):
            self.wake()

    def _on_changed_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        if any(entry.has_webhook for entry in entries):
            self.wake()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingWebhook:
    """Does what `Outgoing` says with an event of a job."""

    dispatcher: WebhookDispatcher
    outbox: WebhookOutbox
    due: DueWebhook
    delivery: Delivery

    @property
    def faults(self) -> CallbackFaults:
        return self.due.faults

    async def keep_fault(self, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await self.outbox.keep_fault(self.due.job.id, seq=seq, fault=fault)

    async def skip(self, attempt: CallbackAttempt | None) -> None:
        await self.outbox.mark_delivered(self.due.job.id, seq=self.delivery.seq, attempt=attempt)

    async def postpone(self, until: datetime) -> None:
        await self.outbox.postpone(self.due.job.id, until=until)

    async def await_next(self) -> None:
        """Look again at once if the next one has come meanwhile."""
        if not await self.outbox.await_next(self.due.job.id, seq=self.delivery.seq):
            await self.outbox.postpone(self.due.job.id, until=self.delivery.at)

    async def next_delivery(self) -> Delivery | Next:
        return await self.dispatcher.next_delivery(self.due.job, self.delivery.seq)

    async def post(self, delivery: Delivery) -> CallbackAttempt | None:
        return await self.dispatcher.post_early(self.due, delivery, after=self.delivery)
