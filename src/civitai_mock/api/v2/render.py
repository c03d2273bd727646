"""Render workflows, their steps and their jobs as v2 shows them: the members of real answers, in their order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Self

import orjson
from starlette.requests import Request

from civitai_mock.api.context import base_url, exchange, use_cases
from civitai_mock.api.query_params import optional
from civitai_mock.api.responses import as_members
from civitai_mock.api.v2.blob_documents import date_text
from civitai_mock.api.v2.description.echo import shown_input
from civitai_mock.domain.cost import Cost
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_timespan, plain_number
from civitai_mock.domain.events import ODD_STATUS
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.money import Transaction
from civitai_mock.domain.progress import SamplingProgress
from civitai_mock.domain.references import REPEAT
from civitai_mock.domain.stages import Stage
from civitai_mock.domain.workflow import Callback, Workflow, WorkflowSnapshot, WorkflowStep
from civitai_mock.domain.workflow_cost import credits_for, lost_blobs_refund, remaining_cost
from civitai_mock.domain.workflow_ids import user_number
from civitai_mock.domain.workflow_progress import (
    WAITING,
    Progress,
    WorkflowProgress,
    job_progress,
    reason_of,
    workflow_progress,
)
from civitai_mock.ports.steps import StepTypes
from civitai_mock.services.availability import JobSupport
from civitai_mock.services.queue_position import QueuePosition
from civitai_mock.services.workflows.advance import level_of
from civitai_mock.services.workflows.late_inputs import output_view

BLOCKED_REASON = "blockedReason"
HIDE = "hideMatureContent"
NO_CHILDREN: Mapping[int, Sequence[int]] = {}
USUAL_DURATION = timedelta(seconds=20)  # of a job, about as in a capture: how long one will take is not known before


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRenderer:
    """Renders workflows for one request, whose caller can reach this server at `base_url`.

    `positions` has the places of jobs in the queue, `support` has what the provider can do for those that have not
    ended, `running` how far those are of which no event tells; all are by id.
    """

    step_types: StepTypes
    base_url: str
    hides_mature_content: bool = False
    positions: Mapping[str, QueuePosition] = field(default_factory=dict)
    support: Mapping[str, JobSupport] = field(default_factory=dict)
    running: Mapping[str, SamplingProgress] = field(default_factory=dict)

    def workflow(self, snapshot: WorkflowSnapshot) -> JsonObject:
        parts = WorkflowParts.of(snapshot, self.running)
        return self._workflow(parts, _transactions((*snapshot.workflow.transactions, *_credits(parts))))

    def planned(self, snapshot: WorkflowSnapshot, *, is_short: bool) -> JsonObject:
        """Render what a submission would make: nothing of it is stored, and its debits have no ids (capture)."""
        debits = _transactions(snapshot.workflow.transactions, with_ids=False)
        return self._workflow(WorkflowParts.of(snapshot, self.running), {**debits, "insufficientBuzz": is_short})

    def step(self, snapshot: WorkflowSnapshot, index: int) -> JsonObject:
        """Render one step, which may be one that a `repeat` has spawned."""
        return self._step(WorkflowParts.of(snapshot, self.running), index)

    def _workflow(self, parts: "WorkflowParts", transactions: JsonObject) -> JsonObject:
        workflow, progress = parts.workflow, parts.progress
        tips = workflow.tips
        document: JsonObject = {
            "id": workflow.id,
            "createdAt": date_text(workflow.created_at),
            "transactions": transactions,
            "metadata": as_members(workflow.metadata),
            "status": progress.status,
        }
        _add_times(document, progress)
        document["tags"] = list(workflow.tags)
        document["arguments"] = as_members(workflow.arguments)
        document["steps"] = [
            self._step(parts, index) for index, step in enumerate(workflow.steps) if step.spawned_by is None
        ]
        document["callbacks"] = [_callback(callback) for callback in workflow.callbacks]
        document["tips"] = {"civitai": plain_number(tips.civitai), "creators": plain_number(tips.creators)}
        document["cost"] = _cost(remaining_cost(workflow, progress, parts.snapshot.jobs))
        _add_maturity(document, parts)
        document["upgradeMode"] = workflow.upgrade_mode
        document["currencies"] = list(workflow.currencies)
        document["forceRefunded"] = False
        _add_options(document, workflow)
        refund = lost_blobs_refund(workflow, progress, parts.snapshot.jobs)
        if refund:
            document["lostBlobsRefund"] = refund
        return document

    def _step(self, parts: "WorkflowParts", index: int) -> JsonObject:
        step, own = parts.workflow.steps[index], parts.progress.steps[index]
        output = self._output(parts, index)
        jobs = {job.id: job for job in parts.jobs.get(index, ())}
        positions = {job_id: self._position(job) for job_id, job in jobs.items()}
        cost = _cost_of_job(step, jobs.values())
        document: JsonObject = {"$type": step.type, "input": shown_input(step.type, step.input)}
        if output is not None:
            document["output"] = output
        document["name"] = step.name
        document["priority"] = step.priority
        if step.timeout is not None:
            document["timeout"] = format_timespan(step.timeout)
        if step.retries is not None:
            document["retries"] = step.retries
        document["jobs"] = [
            _job(job_id, jobs.get(job_id), positions.get(job_id), cost, self.running.get(job_id))
            for job_id in step.jobs
        ]
        document["status"] = _odd_status(jobs.values(), own) or own.status
        _add_times(document, own)
        document["metadata"] = as_members(step.metadata)
        _add_rate(document, own)
        document |= next(filter(None, positions.values()), {})
        if step.failure is not None:
            document["reason"] = step.failure.reason
        return document

    def _output(self, parts: "WorkflowParts", index: int) -> JsonObject | None:
        """Return what a step answers; that of a `repeat` are the steps that it has spawned."""
        workflow = parts.workflow
        step = workflow.steps[index]
        if step.waits or step.failure is not None:
            return None
        if step.type == REPEAT:
            return {"steps": [self._step(parts, child) for child in parts.children.get(index, ())]}
        view = output_view(workflow, hides_mature_content=self.hides_mature_content, base_url=self.base_url)
        return self.step_types.output(step.type, step.input, parts.latest_jobs(index), view=view)

    def _position(self, job: Job) -> JsonObject:
        """Return where in the queue a job is that nobody has claimed."""
        if job.outcome is not None or job.stage is not Stage.QUEUED or job.id not in self.support:
            return {}
        shown: JsonObject = {"support": self.support[job.id].lower()}
        position = self.positions.get(job.id)
        if position is not None:
            start = position.estimated_start_at
            shown["precedingJobs"] = position.preceding_jobs
            shown["startAt"] = date_text(start)
            shown["completeAt"] = date_text(start + USUAL_DURATION)
        return {"queuePosition": shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowParts:
    """Is a workflow as it was read, with its jobs and the children of each `repeat` by the places of their steps."""

    snapshot: WorkflowSnapshot
    progress: WorkflowProgress
    jobs: Mapping[int, Sequence[Job]]
    children: Mapping[int, Sequence[int]]

    @classmethod
    def of(cls, snapshot: WorkflowSnapshot, running: Mapping[str, SamplingProgress]) -> Self:
        progress = workflow_progress(snapshot, running)
        if len(snapshot.workflow.steps) == 1:
            return cls(snapshot=snapshot, progress=progress, jobs={0: snapshot.jobs}, children=NO_CHILDREN)
        jobs: dict[int, list[Job]] = {}
        for job in snapshot.jobs:
            if job.workflow is not None:
                jobs.setdefault(job.workflow.step, []).append(job)
        children: dict[int, list[int]] = {}
        for index, step in enumerate(snapshot.workflow.steps):
            if step.spawned_by is not None:
                children.setdefault(step.spawned_by, []).append(index)
        return cls(snapshot=snapshot, progress=progress, jobs=jobs, children=children)

    @property
    def workflow(self) -> Workflow:
        return self.snapshot.workflow

    def latest_jobs(self, index: int) -> Sequence[Job]:
        """Return the jobs of a step that count: of one that was made again, the last; they come in that order."""
        made = self.jobs.get(index, ())
        if len(made) < 2:
            return made
        latest = {job.workflow.index: job for job in made if job.workflow is not None}
        return [latest[place] for place in sorted(latest)]


def _job(
    job_id: str, job: Job | None, position: JsonObject | None, cost: float, running: SamplingProgress | None
) -> JsonObject:
    """Render a job; one that is not stored yet waits like any other."""
    progress = WAITING if job is None else job_progress(job, running)
    reason = None if job is None else reason_of(job)
    odd = None if job is None else _odd_status([job], progress)
    document: JsonObject = {"id": job_id, "status": odd or progress.status}
    _add_times(document, progress)
    if position:
        document |= position
    document["cost"] = cost
    _add_rate(document, progress)
    if reason is not None:
        document["reason"] = reason
    if job is not None and job.faults and BLOCKED_REASON in job.last_event.context:
        document[BLOCKED_REASON] = job.last_event.context[BLOCKED_REASON]
    return document


def _odd_status(jobs: Collection[Job], progress: Progress) -> Json:
    """Return how a fault calls the status of a job, or of the step of jobs, that is not over; mostly None."""
    events = [job.last_event for job in jobs if job.faults]
    if not events or progress.status.is_over:
        return None
    odd = next((event.context[ODD_STATUS] for event in events if ODD_STATUS in event.context), None)
    return as_object(odd).get("status")


def _cost_of_job(step: WorkflowStep, jobs: Collection[Job]) -> float:
    """Return the share of a job in the base of its step (captures); to make one again costs nothing more."""
    if len(step.jobs) == 1:
        return step.cost.base
    made_again = [job for job in jobs if job.workflow is not None and job.workflow.attempt > 0]
    return plain_number(step.cost.base / max(len(step.jobs) - len(made_again), 1))


# An answer is put together member by member, in the order of captures: to join a dictionary for what may be missing
# takes three times as long.


def _add_times(document: JsonObject, progress: Progress) -> None:
    if progress.started_at is not None:
        document["startedAt"] = date_text(progress.started_at)
    if progress.completed_at is not None:
        document["completedAt"] = date_text(progress.completed_at)


def _add_rate(document: JsonObject, progress: Progress) -> None:
    if progress.rate is not None and not progress.status.is_over and progress.started_at is not None:
        document["estimatedProgressRate"] = plain_number(progress.rate)


def _credits(parts: WorkflowParts) -> Sequence[Transaction]:
    """Return what was given back, also of a workflow whose end is not noted yet: it shows the same before and after."""
    if parts.workflow.memo is not None:
        return parts.workflow.memo.credits
    if not parts.progress.status.is_over:
        return ()
    return credits_for(parts.workflow, parts.progress, parts.snapshot.jobs)


def _transactions(transactions: Sequence[Transaction], *, with_ids: bool = True) -> JsonObject:
    return {
        "list": [
            {
                "type": transaction.type,
                "amount": transaction.amount,
                **({"id": transaction.id} if with_ids else {}),
                "accountType": transaction.account,
            }
            for transaction in transactions
        ]
    }


def _callback(callback: Callback) -> JsonObject:
    detailed: JsonObject = {"detailed": True} if callback.detailed else {}
    return {"url": callback.url, "type": list(callback.types), **detailed}


def _cost(cost: Cost) -> JsonObject:
    document: JsonObject = {"base": cost.base}
    if cost.factors:
        document["factors"] = {name: plain_number(factor) for name, factor in cost.factors.items()}
    if cost.fixed:
        document["fixed"] = dict(cost.fixed)
    document["tips"] = {"civitai": cost.civitai_tip, "creators": cost.creators_tip}
    document["total"] = cost.total
    return document


def _add_maturity(document: JsonObject, parts: WorkflowParts) -> None:
    """Add the highest level of what was made so far, if it is known, and whether more would be allowed."""
    workflow = parts.workflow
    made = workflow.memo.nsfw_level if workflow.memo else level_of(parts.snapshot.jobs)
    level = made or workflow.nsfw_level
    if level is not None:
        document["nsfwLevel"] = level
    if workflow.experimental is not None:
        document["experimental"] = workflow.experimental
    if workflow.allow_mature_content is not None:
        document["allowMatureContent"] = workflow.allow_mature_content


def _add_options(document: JsonObject, workflow: Workflow) -> None:
    """Add members of the end, which are there if they were sent; an external id has its owner in it (capture)."""
    if workflow.is_ephemeral:
        document["ephemeral"] = True
    if workflow.external_id is not None:
        document["externalId"] = f"{user_number(workflow.owner)}-{workflow.external_id}"


def plain_document(document: JsonObject) -> JsonObject:
    """Return a document as a reader of its JSON has it, which a patch can change."""
    plain: JsonObject = orjson.loads(orjson.dumps(document))
    return plain


async def renderer_for(
    request: Request, snapshots: Sequence[WorkflowSnapshot], *, hides_mature_content: bool
) -> WorkflowRenderer:
    """Make a renderer that knows where in the queue the jobs are; claimed ones need no query, ended ones nothing."""
    cases = use_cases(request)
    jobs = [job for snapshot in snapshots for job in snapshot.jobs]
    unfinished = [job for job in jobs if job.outcome is None]
    faulty = [job for job in jobs if job.faults]
    positions = await cases.queue_positions(unfinished) if unfinished else {}
    support = cases.support(unfinished) if unfinished else {}
    if unfinished and exchange(request).namespace.fleet_policy.is_on:
        positions, support = await cases.fleet.chosen_of(unfinished, positions, support)
    return WorkflowRenderer(
        step_types=cases.workflows.step_types,
        base_url=base_url(request),
        hides_mature_content=hides_mature_content or (bool(faulty) and _hides_unless_asked(request, faulty)),
        positions=positions,
        support=support,
        running=cases.running_progress(unfinished) if unfinished else {},
    )


def _hides_unless_asked(request: Request, jobs: Sequence[Job]) -> bool:
    """Return whether a fault makes results mature, which are only shown then to who asks not to hide them."""
    from civitai_mock.domain.faults.actions import PresetWord  # noqa: PLC0415 - as mostly there are no faults
    from civitai_mock.domain.faults.job_effects import preset_value  # noqa: PLC0415 - as above

    is_asked = optional(request, HIDE) is not None
    return not is_asked and any(preset_value(job, PresetWord.MATURE) is not None for job in jobs)
