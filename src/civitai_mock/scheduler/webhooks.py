"""Deliver the events of jobs to their webhooks: all of them, in order, each until it arrives or is given up."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import ForbiddenError, TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import DueWebhook
from civitai_mock.network.webhook_sender import NotDeliveredError, WebhookSender
from civitai_mock.ports import Clock, Ids, JobStore, WebhookOutbox
from civitai_mock.scheduler.timers import Timers
from civitai_mock.services.event_bus import EventBus

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=5)
MOST_DOUBLINGS = 16


def pause_after(failures: int, *, dice: float) -> timedelta:
    """Doubles with each failure; `dice`, from 0 to 1, spreads it between half of that and all of it."""
    doublings = min(failures - 1, MOST_DOUBLINGS)
    whole = min(FIRST * (1 << doublings), LONGEST)
    return whole * (0.5 + dice / 2)


Render = Callable[[Job, JobEvent], bytes]

logger = structlog.stdlib.get_logger()

MOST_AT_ONCE = 32
HOLD_MARGIN = timedelta(seconds=10)  # for the store, which is told after the receiver
DICE_SIDES = 2**32


class WebhookDispatcher:
    """Any number of them may run on one store; an event arrives at least once.

    The store holds a job back while one event of it is on its way, so the next one cannot overtake it.
    """

    def __init__(
        self,
        *,
        jobs: JobStore,
        webhooks: WebhookOutbox,
        messenger: WebhookSender,
        render: Render,
        max_attempts: int,
        event_bus: EventBus,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._jobs = jobs
        self._webhooks = webhooks
        self._messenger = messenger
        self._render = render
        self._max_attempts = max_attempts
        self._clock = clock
        self._ids = ids
        self._again = Timers(clock=clock, ring=lambda _: self.wake())
        self._on_their_way: set[asyncio.Task[None]] = set()
        self._word = asyncio.Event()
        self._stopping = False
        event_bus.subscribe_to_changes(self._hear)

    def wake(self) -> None:
        """There may be something to tell."""
        self._word.set()

    async def run(self) -> None:
        """Until `stop`, which waits for what is on its way."""
        async with asyncio.TaskGroup() as group:
            alarms = group.create_task(self._again.run(), name="callback alarms")
            while not self._stopping:
                self._word.clear()
                for callback in await self._take():
                    self._start(group, callback)
                await self._word.wait()
            alarms.cancel()

    async def stop(self, *, patience: float) -> None:
        """What does not get through in `patience` seconds is told by the next process on this store."""
        self._stopping = True
        self.wake()
        if self._on_their_way:
            _, late = await asyncio.wait(self._on_their_way, timeout=patience)
            for task in late:
                task.cancel()

    def _hear(self, jobs: Sequence[Job]) -> None:
        if any(job.callback_url is not None for job in jobs):
            self.wake()

    async def _take(self) -> Sequence[DueWebhook]:
        """As many as there is room for; none while the store is away."""
        room = MOST_AT_ONCE - len(self._on_their_way)
        if room <= 0:
            return ()
        now = self._clock.now()
        hold_until = now + self._messenger.timeout + HOLD_MARGIN
        try:
            return await self._webhooks.take_due(now, hold_until=hold_until, limit=room)
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("callbacks not taken")
        return ()

    def _start(self, group: asyncio.TaskGroup, callback: DueWebhook) -> None:
        if self._stopping:
            return  # held for a while, then told by the next process
        task = group.create_task(self._tell(callback), name=f"callback of job {callback.job.id}")
        self._on_their_way.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._on_their_way.discard(task)
        self.wake()

    async def _tell(self, callback: DueWebhook) -> None:
        """Nothing but a cancellation comes out of here; what goes wrong is logged, and tried again after the hold."""
        structlog.contextvars.bind_contextvars(trace_id=callback.job.trace_id, job_id=callback.job.id)
        try:
            event = await self._next_event(callback)
            if event is not None:
                await self._attempt(callback, event)
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("callback broke off")

    async def _next_event(self, callback: DueWebhook) -> JobEvent | None:
        """None if the job went in the meantime."""
        if callback.delivered_seq + 1 == callback.job.seq:
            return callback.job.last_event
        events = await self._jobs.events(callback.job.id)
        return next((event for event in events if event.seq > callback.delivered_seq), None)

    async def _attempt(self, callback: DueWebhook, event: JobEvent) -> None:
        number = callback.failures + 1
        try:
            status = await self._post(callback.job, event)
        except ForbiddenError as error:
            logger.warning("callback refused", seq=event.seq, attempt=number, reason=error.message)
            await self._webhooks.mark_failed(event.job_id, retry_at=None)
        except NotDeliveredError as error:
            logger.warning("callback failed", seq=event.seq, attempt=number, status=error.status, reason=error.message)
            await self._try_again(event, failures=number)
        else:
            logger.info("callback delivered", seq=event.seq, attempt=number, status=status)
            await self._webhooks.mark_delivered(event.job_id, seq=event.seq)

    async def _post(self, job: Job, event: JobEvent) -> int:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": f"{event.job_id}/{event.seq}",
            "traceparent": event.trace_id,
        }
        return await self._messenger.post(job.callback_url or "", content=self._render(job, event), headers=headers)

    async def _try_again(self, event: JobEvent, *, failures: int) -> None:
        if failures >= self._max_attempts:
            logger.warning("callback given up", seq=event.seq, attempts=failures)
            await self._webhooks.mark_failed(event.job_id, retry_at=None)
            return
        retry_at = self._clock.now() + pause_after(failures, dice=self._ids.seed() / DICE_SIDES)
        await self._webhooks.mark_failed(event.job_id, retry_at=retry_at)
        self._again.set(event.job_id, retry_at)
