"""Deliver events to receivers: each until it arrives or is given up, after pauses that grow with its failures."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

import structlog

from civitai_mock.domain.callbacks import LONGEST_REASON, CallbackAttempt, CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.network.webhook_sender import NotDeliveredError, WebhookSender
from civitai_mock.ports import Clock, Ids, Metrics, Stores
from civitai_mock.scheduler.delivery import Delivery
from civitai_mock.scheduler.timers import Timers
from civitai_mock.services.activity import Signal
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.tracing import TRACEPARENT_HEADER, calling, current_traceparent, work_in_trace

if TYPE_CHECKING:
    from civitai_mock.scheduler.callback_faults import FaultyCallbacks, Outgoing
    from civitai_mock.services.faults.subjects import JobSubjects

logger = structlog.stdlib.get_logger()


class Due(Protocol):
    """Is what an outbox has to deliver next of a job or a workflow, with what was decided for its callbacks."""

    @property
    def faults(self) -> CallbackFaults: ...


D = TypeVar("D", bound=Due)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryServices:
    """Holds what every dispatcher works with; an event is given up after `max_attempts`.

    What rules of `faults` match is loaded for the first of them.
    """

    stores: Stores
    sender: WebhookSender
    max_attempts: int
    event_bus: EventBus
    clock: Clock
    system_clock: Clock
    ids: Ids
    metrics: Metrics
    faults: Faults
    get_subjects: "Callable[[], JobSubjects]"


class Dispatcher(ABC, Generic[D]):
    """Delivers what is due in an outbox, at least once; any number of dispatchers may run on one store.

    `what` names what is delivered. One that does not look at the start waits for the first `wake`. The outbox holds
    back what follows an event that is on its way.
    """

    what: ClassVar[str]
    looks_at_start: ClassVar[bool] = True

    def __init__(self, services: DeliveryServices) -> None:
        self._sender = services.sender
        self._max_attempts = services.max_attempts
        self._clock = services.clock
        self._system_clock = services.system_clock
        self._ids = services.ids
        self._metrics = services.metrics
        self._faults = services.faults
        self._get_subjects = services.get_subjects
        self._next_look = Timers(clock=services.clock, on_due=lambda _: self.wake())
        self._deliveries: set[asyncio.Task[None]] = set()
        self._activity = services.event_bus.activity
        self._wake_up = Signal(self._activity)
        self._is_stopping = False

    @abstractmethod
    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[D]:
        """Take from the outbox what is due."""

    @abstractmethod
    async def next_due(self) -> datetime | None:
        """Return when the outbox has something due next."""

    @abstractmethod
    async def prepare(self, due: D) -> Delivery | None:
        """Return what is to be sent; None if there is nothing to send any more."""

    @abstractmethod
    async def mark_delivered(self, due: D, attempt: CallbackAttempt) -> None:
        """Note that it arrived."""

    @abstractmethod
    async def mark_failed(self, due: D, attempt: CallbackAttempt | None, *, retry_at: datetime | None) -> None:
        """Note that it did not arrive, or that nothing was tried; without a time to try again it is given up."""

    @abstractmethod
    def outgoing(self, due: D, delivery: Delivery) -> "Outgoing":
        """Return what a fault may do with it and those after it."""

    def work_for(self, trace_id: str, **labels: str) -> None:
        """Say what the running delivery belongs to, in its spans and log lines."""
        work_in_trace(trace_id, self._metrics.record_span)
        structlog.contextvars.bind_contextvars(trace_id=trace_id, **labels)

    def wake(self) -> None:
        """Look for events that are due."""
        self._wake_up.set()

    async def run(self) -> None:
        """Deliver until `stop`, and wait for what is on its way then."""
        if self.looks_at_start:
            self.wake()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._wake_up.wait()
                    if self._is_stopping:
                        return
                    if len(self._deliveries) < MOST_AT_ONCE:  # or else the first that ends wakes
                        for due in await self._take():
                            self._start(group, due)
        finally:
            self._wake_up.close()
            self._next_look.clear_all()

    async def stop(self, *, patience: float) -> None:
        """Break off what does not arrive in `patience` seconds: the next process on this store delivers it."""
        self._is_stopping = True
        self.wake()
        if self._deliveries:
            _, late = await asyncio.wait(self._deliveries, timeout=patience)
            for task in late:
                task.cancel()

    def break_off(self) -> None:
        """Send nothing from this moment on: what would be delivered is not there any more."""
        for task in self._deliveries:
            task.cancel()

    async def _take(self) -> Sequence[D]:
        """Take as many as there is room for; if there is none, look again when the next one is due.

        While the store is away, look again after a pause.
        """
        now = self._clock.now()
        hold_until = now + self._clock.lasting(self._sender.timeout + HOLD_MARGIN)
        taken: Sequence[D] = ()
        next_due: datetime | None = None
        with ErrorBoundary("callbacks not taken") as boundary:
            taken = await self.take_due(now, hold_until=hold_until, limit=MOST_AT_ONCE - len(self._deliveries))
            next_due = None if taken else await self.next_due()
        if boundary.has_failed:
            self._look_again()
        if next_due is not None:
            self._next_look.set(NEXT, next_due)
        elif not taken:
            self._next_look.clear(NEXT)
        return taken

    def _look_again(self) -> None:
        self._system_clock.call_later(FIRST_PAUSE.total_seconds(), self.wake)

    def _start(self, group: asyncio.TaskGroup, due: D) -> None:
        if self._is_stopping:
            return  # held for a while, then delivered by the next process
        task = group.create_task(self._deliver(due), name=self.what)
        self._deliveries.add(task)
        self._activity.begin()
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        self.wake()
        self._activity.end()

    async def _deliver(self, due: D) -> None:
        """Raise nothing but a cancellation; what goes wrong is logged, and tried again after the hold."""
        with ErrorBoundary("callback broke off"):
            delivery = await self.prepare(due)
            if delivery is not None and self._may_go_wrong(due, delivery):
                delivery = await self._faulty_callbacks.delivery(self.outgoing(due, delivery), delivery)
            if delivery is not None:
                await self._attempt(due, delivery)

    def _may_go_wrong(self, due: D, delivery: Delivery) -> bool:
        return self._faults.is_any_set or bool(due.faults) or any(job.asked_fault is not None for job in delivery.jobs)

    @cached_property
    def _faulty_callbacks(self) -> "FaultyCallbacks":
        """Load and make it when something may go wrong."""
        from civitai_mock.scheduler.callback_faults import FaultyCallbacks  # noqa: PLC0415 - as above

        return FaultyCallbacks(chooser=self._faults, subjects=self._get_subjects(), clock=self._clock)

    async def post_early(self, due: D, delivery: Delivery, *, after: Delivery) -> CallbackAttempt | None:
        """Send an event before the one that is due, which is tried again later if this one does not arrive: None."""
        number = after.failures + 1
        try:
            status = await self._post(delivery)
        except (ForbiddenError, NotDeliveredError) as error:
            logger.warning("callback failed", seq=delivery.seq, attempt=number, reason=error.message)
            attempt = self._tried(delivery.seq, status=getattr(error, "status", None), error=error.message)
            await self._retry_later(due, after, attempt, failures=number)
            return None
        logger.info("callback delivered", seq=delivery.seq, attempt=number, status=status)
        self._metrics.webhook_attempts["delivered"] += 1
        return self._tried(delivery.seq, status=status)

    async def _attempt(self, due: D, delivery: Delivery) -> None:
        seq, number = delivery.seq, delivery.failures + 1
        try:
            status = await self._post(delivery)
        except ForbiddenError as error:
            self._metrics.webhook_attempts["refused"] += 1
            logger.warning("callback refused", seq=seq, attempt=number, reason=error.message)
            await self.mark_failed(due, self._tried(seq, error=error.message), retry_at=None)
        except NotDeliveredError as error:
            logger.warning("callback failed", seq=seq, attempt=number, status=error.status, reason=error.message)
            attempt = self._tried(seq, status=error.status, error=error.message)
            await self._retry_later(due, delivery, attempt, failures=number)
        else:
            self._metrics.webhook_attempts["delivered"] += 1
            logger.info("callback delivered", seq=seq, attempt=number, status=status)
            for _ in range(1, delivery.times):
                await self._post_again(delivery)
            await self.mark_delivered(due, self._tried(seq, status=status))

    async def _post_again(self, delivery: Delivery) -> None:
        """Send what has arrived once more; nobody waits for that to arrive."""
        try:
            await self._post(delivery)
        except (ForbiddenError, NotDeliveredError) as error:
            logger.info("callback not repeated", seq=delivery.seq, reason=error.message)
        else:
            logger.info("callback repeated", seq=delivery.seq)

    def _tried(self, seq: int, *, status: int | None = None, error: str | None = None) -> CallbackAttempt:
        return CallbackAttempt(seq=seq, at=self._clock.now(), status=status, error=error and error[:LONGEST_REASON])

    async def _post(self, delivery: Delivery) -> int:
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": delivery.key}
        with calling("callback", seq=delivery.seq):
            headers[TRACEPARENT_HEADER] = current_traceparent()
            return await self._sender.post(
                delivery.url,
                content=delivery.content,
                headers=headers,
                follows_redirects=delivery.follows_redirects,
            )

    async def _retry_later(self, due: D, delivery: Delivery, attempt: CallbackAttempt, *, failures: int) -> None:
        if failures >= self._max_attempts:
            self._metrics.webhook_attempts["given_up"] += 1
            logger.warning("callback given up", seq=delivery.seq, attempts=failures)
            await self.mark_failed(due, attempt, retry_at=None)
            return
        self._metrics.webhook_attempts["failed"] += 1
        jitter = self._ids.of_job(delivery.key, f"attempt {failures}").seed() / SEEDS
        retry_at = self._clock.now() + backoff(failures, jitter=jitter)
        await self.mark_failed(due, attempt, retry_at=retry_at)
