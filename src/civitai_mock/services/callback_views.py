"""Show callbacks: what receivers of a job, or of its workflow, were told, and what was tried."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.faults.actions import CallbackMishap
from civitai_mock.domain.faults.kept import DOES, RULE, kept_effects, told_fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson, as_text
from civitai_mock.ports import WebhookOutbox, WorkflowOutbox, WorkflowStore


class Delivered(StrEnum):
    """Says how far a callback is.

    One is due, or waits for those before it; it arrived, was given up, or dropped by a fault. What became of an old one
    is unknown, as only the last attempts are kept.
    """

    WAITING = "waiting"
    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "givenUp"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackView:
    """Is one callback: an event of a job, or of a workflow, a step or a job of one, which its receiver is to know.

    The `fault` is the rule that fired for it, and what that does.
    """

    url: str
    seq: int
    scope: str
    subject: str
    status: str
    delivered: Delivered
    due_at: datetime | None
    attempts: Sequence[CallbackAttempt]
    fault: ReadOnlyJson | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCallbacks:
    """Finds the callbacks of a job; those of a job of a workflow are the workflow's."""

    webhooks: WebhookOutbox
    announcements: WorkflowOutbox
    workflows: WorkflowStore

    async def __call__(self, job: Job, events: Sequence[JobEvent]) -> Sequence[CallbackView]:
        """Return them in order, with the attempts at each; a job without a receiver has none."""
        if job.workflow is not None:
            return await self._of_workflow(job.workflow.workflow_id)
        state = await self.webhooks.state(job.id) if job.callback_url else None
        if state is None:
            return []
        told = [(job.callback_url or "", event.seq, "job", job.id, str(event.type)) for event in events]
        return list(_views(told, state))

    async def rules_of(self, job: Job) -> Collection[str]:
        """Return the ids of the rules of faults that fired for them."""
        if job.workflow is not None:
            state = await self.announcements.state(job.workflow.workflow_id)
        else:
            state = await self.webhooks.state(job.id)
        return () if state is None else {as_text(each[RULE]) for each in state.faults.values() if DOES in each}

    async def _of_workflow(self, workflow_id: str) -> Sequence[CallbackView]:
        state, found = await self.announcements.state(workflow_id), await self.workflows.get(workflow_id)
        if state is None or found is None:
            return []
        urls = [callback.url for callback in found.workflow.callbacks]
        announced = await self.announcements.announced(workflow_id)
        told = [(urls[one.callback], one.seq, one.scope, one.subject, one.status) for one in announced]
        return list(_views(told, state))


def has_callbacks(job: Job) -> bool:
    """Return whether there may be somebody who is told of a job."""
    return job.callback_url is not None or job.workflow is not None


def _views(told: Sequence[tuple[str, int, str, str, str]], state: CallbackState) -> Iterator[CallbackView]:
    next_seq = min((seq for _, seq, *_ in told if seq > state.told), default=None)
    for url, seq, scope, subject, status in told:
        attempts = [attempt for attempt in state.attempts if attempt.seq == seq]
        delivered = Delivered.DUE if seq == next_seq else _delivered(seq, state, attempts)
        yield CallbackView(
            url=url,
            seq=seq,
            scope=scope,
            subject=subject,
            status=status,
            delivered=delivered,
            due_at=state.due_at if delivered is Delivered.DUE else None,
            attempts=attempts,
            fault=told_fault(state.faults.get(str(seq), {})),
        )


def _delivered(seq: int, state: CallbackState, attempts: Sequence[CallbackAttempt]) -> Delivered:
    """Return how far one is; what is told without an attempt was skipped together with the last that was tried."""
    if seq > state.told:
        return Delivered.WAITING
    if CallbackMishap.DROP in kept_effects(state.faults.get(str(seq), {})):
        return Delivered.DROPPED
    if attempts:
        return Delivered.DELIVERED if attempts[-1].error is None else Delivered.GIVEN_UP
    is_kept = bool(state.attempts) and seq > state.attempts[0].seq
    return Delivered.GIVEN_UP if is_kept else Delivered.UNKNOWN
