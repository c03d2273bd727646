"""Deliver the events of jobs to their webhooks: all of them, in order, each until it arrives or is given up."""

from collections.abc import Callable, Sequence
from datetime import datetime

from civitai_mock.domain.callbacks import CallbackAttempt
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import DueWebhook, FeedEntry
from civitai_mock.scheduler.deliveries import Delivery, DeliveryServices, Dispatcher

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
        if event is None:
            return None
        return Delivery(
            url=job.callback_url or "",
            content=self._render(job, event),
            key=f"{job.id}/{event.seq}",
            seq=event.seq,
            failures=due.failures,
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
