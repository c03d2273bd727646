"""Deliver the events of jobs to their webhooks: all of them, in order, each until it arrives or is given up."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import ForbiddenError, TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import DueWebhook, FeedEntry
from civitai_mock.network.webhook_sender import NotDeliveredError, WebhookSender
from civitai_mock.ports import Clock, Ids, Metrics, Stores
from civitai_mock.scheduler.timers import Timers
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.tracing import TRACEPARENT_HEADER, calling, current_traceparent, work_in_trace

logger = structlog.stdlib.get_logger()

Render = Callable[[Job, JobEvent], bytes]

MOST_AT_ONCE = 32
HOLD_MARGIN = timedelta(seconds=10)  # for the store, which hears of a delivery after the receiver
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
MOST_DOUBLINGS = 16
NEXT = "next"  # the only timer
SEEDS = 2**32  # that `Ids` draws from


def backoff(failures: int, *, jitter: float) -> timedelta:
    """Return the pause after so many failures, which doubles with each; `jitter` (0 to 1) takes half to all of it."""
    doublings = min(failures - 1, MOST_DOUBLINGS)
    pause = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return pause * (0.5 + jitter / 2)


class WebhookDispatcher:
    """Delivers each event at least once; any number of dispatchers may run on one store.

    The store holds a job back while one event of it is on its way, so the next one cannot overtake it.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        sender: WebhookSender,
        render: Render,
        max_attempts: int,
        event_bus: EventBus,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
    ) -> None:
        self._jobs = stores.jobs
        self._outbox = stores.webhooks
        self._sender = sender
        self._render = render
        self._max_attempts = max_attempts
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._next_look = Timers(clock=clock, on_due=lambda _: self.wake())
        self._deliveries: set[asyncio.Task[None]] = set()
        self._wake_up = asyncio.Event()
        self._is_stopping = False
        event_bus.subscribe_to_changes(self._on_changed)
        event_bus.subscribe_to_changes_elsewhere(self._on_changed_elsewhere)

    def wake(self) -> None:
        """Look for events that are due."""
        self._wake_up.set()

    async def run(self) -> None:
        """Deliver until `stop`, and wait for what is on its way then."""
        async with asyncio.TaskGroup() as group:
            timers = group.create_task(self._next_look.run(), name="next look for webhooks")
            while not self._is_stopping:
                self._wake_up.clear()
                if len(self._deliveries) < MOST_AT_ONCE:  # or else the first that ends wakes
                    for webhook in await self._take():
                        self._start(group, webhook)
                await self._wake_up.wait()
            timers.cancel()

    async def stop(self, *, patience: float) -> None:
        """Break off what does not arrive in `patience` seconds: the next process on this store delivers it."""
        self._is_stopping = True
        self.wake()
        if self._deliveries:
            _, late = await asyncio.wait(self._deliveries, timeout=patience)
            for task in late:
                task.cancel()

    def _on_changed(self, jobs: Sequence[Job]) -> None:
        if any(job.callback_url is not None for job in jobs):
            self.wake()

    def _on_changed_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        if any(entry.has_webhook for entry in entries):
            self.wake()

    async def _take(self) -> Sequence[DueWebhook]:
        """Take as many as there is room for; if there is none, look again when the next one is due.

        While the store is away, look again after a pause.
        """
        now = self._clock.now()
        hold_until = now + self._sender.timeout + HOLD_MARGIN
        try:
            taken = await self._outbox.take_due(now, hold_until=hold_until, limit=MOST_AT_ONCE - len(self._deliveries))
            next_due = None if taken else await self._outbox.next_due()
        except TransientError as error:
            logger.warning("store away", error=error.message)
            taken, next_due = (), now + FIRST_PAUSE
        except Exception:
            logger.exception("callbacks not taken")
            taken, next_due = (), now + FIRST_PAUSE
        if next_due is not None:
            self._next_look.set(NEXT, next_due)
        return taken

    def _start(self, group: asyncio.TaskGroup, webhook: DueWebhook) -> None:
        if self._is_stopping:
            return  # held for a while, then delivered by the next process
        task = group.create_task(self._deliver(webhook), name=f"webhook of job {webhook.job.id}")
        self._deliveries.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        self.wake()

    async def _deliver(self, webhook: DueWebhook) -> None:
        """Raise nothing but a cancellation; what goes wrong is logged, and tried again after the hold."""
        work_in_trace(webhook.job.trace_id, self._metrics.record_span)
        structlog.contextvars.bind_contextvars(trace_id=webhook.job.trace_id, job_id=webhook.job.id)
        try:
            event = await self._next_event(webhook)
            if event is not None:
                await self._attempt(webhook, event)
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("callback broke off")

    async def _next_event(self, webhook: DueWebhook) -> JobEvent | None:
        """Return None if the job was deleted in the meantime."""
        if webhook.delivered_seq + 1 == webhook.job.seq:
            return webhook.job.last_event
        events = await self._jobs.events(webhook.job.id)
        return next((event for event in events if event.seq > webhook.delivered_seq), None)

    async def _attempt(self, webhook: DueWebhook, event: JobEvent) -> None:
        attempt = webhook.failures + 1
        try:
            status = await self._post(webhook.job, event)
        except ForbiddenError as error:
            self._metrics.webhook_attempts["refused"] += 1
            logger.warning("callback refused", seq=event.seq, attempt=attempt, reason=error.message)
            await self._outbox.mark_failed(event.job_id, retry_at=None)
        except NotDeliveredError as error:
            logger.warning("callback failed", seq=event.seq, attempt=attempt, status=error.status, reason=error.message)
            await self._retry_later(event, failures=attempt)
        else:
            self._metrics.webhook_attempts["delivered"] += 1
            logger.info("callback delivered", seq=event.seq, attempt=attempt, status=status)
            await self._outbox.mark_delivered(event.job_id, seq=event.seq)

    async def _post(self, job: Job, event: JobEvent) -> int:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": f"{event.job_id}/{event.seq}",
        }
        content = self._render(job, event)
        with calling("callback", seq=event.seq):
            headers[TRACEPARENT_HEADER] = current_traceparent()
            return await self._sender.post(job.callback_url or "", content=content, headers=headers)

    async def _retry_later(self, event: JobEvent, *, failures: int) -> None:
        if failures >= self._max_attempts:
            self._metrics.webhook_attempts["given_up"] += 1
            logger.warning("callback given up", seq=event.seq, attempts=failures)
            await self._outbox.mark_failed(event.job_id, retry_at=None)
            return
        self._metrics.webhook_attempts["failed"] += 1
        retry_at = self._clock.now() + backoff(failures, jitter=self._ids.seed() / SEEDS)
        await self._outbox.mark_failed(event.job_id, retry_at=retry_at)
