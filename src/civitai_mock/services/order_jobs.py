"""Orders of the control plane: take one job further, end it, have it refused, lose it, or do it again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NotFoundError, fault
from civitai_mock.domain.faults.kept import asked_rule
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.progress_modes import stored_progress_mode
from civitai_mock.domain.workflow import Workflow
from civitai_mock.ports import JobQueue, JobStore, WorkflowStore
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.submit import SubmitJobs

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded for those of v1
    from civitai_mock.services.workflows.submit import SubmitWorkflow

MOST_TRIES = 100  # against others who change the job at the same time
REFUSED = "The worker refused the job."
FAILED = "The job was made to fail."

Overlay: TypeAlias = Callable[[tuple[Slot, ...]], tuple[Slot, ...]]


class OrdersJobs(Protocol):
    """Changes a job, and returns it as it is stored then; None if somebody else has changed it meanwhile.

    Raises `ConflictError` if the table of the stages forbids it.
    """

    async def advance(self, job: Job) -> Job | None: ...

    async def succeed(self, job: Job, overlay: Overlay | None = None) -> Job | None: ...

    async def fail(self, job: Job, context: JsonObject) -> Job | None: ...

    async def reject(self, job: Job, *, reason: str) -> Job | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChange:
    """Is what is laid over one result of a job; None leaves it as it would be."""

    available: bool | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Is how a job is to fail, as ComfyUI tells of a node that has failed."""

    error: str | None = None
    message: str | None = None
    node_id: str | None = None
    class_type: str | None = None

    @property
    def context(self) -> JsonObject:
        """Return what the event says: the members that a failure of a graph has, and `reason` for clients of v1."""
        message = self.message or FAILED
        context: JsonObject = {"error": self.error or "job_failed", "message": message, "reason": message}
        others = {"node_id": self.node_id, "class_type": self.class_type}
        return context | {name: value for name, value in others.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubmission:
    """Is what was submitted again: a job, or a workflow with its first job, if that was made at once."""

    job_id: str | None
    workflow_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderJobs:
    """Carries out orders, whoever moves the job otherwise: a worker that has it loses it.

    Each method raises `NotFoundError` for an unknown job, and `ConflictError` for what the job cannot do as it is.
    """

    jobs: JobStore
    queue: JobQueue
    workflows: WorkflowStore
    event_bus: EventBus
    submit: SubmitJobs
    get_submit_workflow: "Callable[[], SubmitWorkflow]"
    get_orders: Callable[[], OrdersJobs]

    async def advance(self, job_id: str) -> Job:
        return await self._try(job_id, self.get_orders().advance)

    async def succeed(self, job_id: str, changes: Sequence[SlotChange]) -> Job:
        """Raise `InvalidRequestError`, too, for more changes than the job has results."""
        overlay = _overlay(changes)
        return await self._try(job_id, lambda job: self.get_orders().succeed(job, overlay))

    async def fail(self, job_id: str, failure: Failure) -> Job:
        return await self._try(job_id, lambda job: self.get_orders().fail(job, failure.context))

    async def reject(self, job_id: str, reason: str | None) -> Job:
        return await self._try(job_id, lambda job: self.get_orders().reject(job, reason=reason or REFUSED))

    async def set_priority(self, job_id: str, priority: int) -> Job:
        """Have a job claimed sooner or later; raise `ConflictError` for one that has ended."""
        job = await self._get(job_id)
        if not await self.queue.set_priority(job.id, priority):
            raise ConflictError(f"The job '{job.id}' has ended already.")
        self.event_bus.publish_work()
        return await self._get(job.id)

    async def resubmit(self, job_id: str, trace_id: str) -> Resubmission:
        """Submit once more what a job was made of, for the same consumer; a job of a workflow, the whole workflow."""
        job = await self._get(job_id)
        caller = Caller(trace_id=trace_id, consumer=job.issued_by)
        if job.workflow is None:
            return Resubmission(job_id=(await self.submit.again(job, caller)).id)
        found = await self.workflows.get(job.workflow.workflow_id)
        if found is None:
            raise NotFoundError(f"The workflow '{job.workflow.workflow_id}' does not exist.")
        made = await self.get_submit_workflow().again(found.workflow, _with_wishes(caller, found.workflow))
        first = made.jobs[0].id if made.jobs else None
        return Resubmission(job_id=first, workflow_id=made.workflow.id)

    async def lose(self, job_id: str) -> Job:
        """Delete a job without a word, as a service does that has lost its memory; its workflow is lost with it."""
        job = await self._get(job_id)
        if job.workflow is not None:
            await self._lose_workflow(job.workflow.workflow_id)
        await self.jobs.delete(job.id)
        return job

    async def _lose_workflow(self, workflow_id: str) -> None:
        """Delete a workflow as it is, also if somebody changes it at the same time."""
        found = await self.workflows.get(workflow_id)
        while found is not None and not await self.workflows.delete(found.workflow):
            found = await self.workflows.get(workflow_id)

    async def _get(self, job_id: str) -> Job:
        job = await self.jobs.get(job_id.lower())
        if job is None:
            raise NotFoundError(f"The job '{job_id[:100]}' does not exist.")
        return job

    async def _try(self, job_id: str, order: Callable[[Job], Awaitable[Job | None]]) -> Job:
        for _ in range(MOST_TRIES):
            after = await order(await self._get(job_id))
            if after is not None:
                return after
        raise ConflictError(f"The job '{job_id}' is changed by others all the time.")


def _overlay(changes: Sequence[SlotChange]) -> Overlay:
    def lay_over(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        if len(changes) > len(slots):
            raise fault(f"result[{len(slots)}]", f"The job has {len(slots)} results; found {len(changes)}.")
        return tuple(map(_changed, slots, changes)) + slots[len(changes) :]

    return lay_over


def _changed(slot: Slot, change: SlotChange) -> Slot:
    available = slot.available if change.available is None else change.available
    return changed(slot, available=available, seed=slot.seed if change.seed is None else change.seed)


def _with_wishes(caller: Caller, workflow: Workflow) -> Caller:
    """Return a caller that asks for the progress mode and the fault that the request of a workflow has asked for."""
    progress, asked = stored_progress_mode(workflow.progress), workflow.asked_fault
    return replace(caller, progress=progress, asked_fault=None if asked is None else asked_rule(asked))
