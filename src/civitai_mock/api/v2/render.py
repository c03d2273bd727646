"""Render workflows, their steps and their jobs as v2 shows them: the members of real answers, in their order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import orjson
from starlette.requests import Request

from civitai_mock.api.context import base_url, use_cases
from civitai_mock.api.responses import as_members
from civitai_mock.api.v2.blob_documents import date_text
from civitai_mock.api.v2.description.echo import shown_input
from civitai_mock.domain.cost import Cost
from civitai_mock.domain.dotnet import format_timespan, plain_number
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.money import Transaction
from civitai_mock.domain.references import REPEAT
from civitai_mock.domain.stages import Stage
from civitai_mock.domain.workflow import Callback, Workflow, WorkflowSnapshot, WorkflowStatus, WorkflowStep
from civitai_mock.domain.workflow_cost import credits_for, remaining_cost
from civitai_mock.domain.workflow_ids import user_number
from civitai_mock.domain.workflow_progress import (
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

UNASSIGNED = Progress(status=WorkflowStatus.UNASSIGNED)
USUAL_DURATION = timedelta(seconds=20)  # of a job, about as in a capture: how long one will take is not known before


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRenderer:
    """Renders workflows for one request, whose caller can reach this server at `base_url`.

    `positions` has the places of jobs in the queue, `support` has what the provider can do for those that have not
    ended; both are by id.
    """

    step_types: StepTypes
    base_url: str
    hides_mature_content: bool = False
    positions: Mapping[str, QueuePosition] = field(default_factory=dict)
    support: Mapping[str, JobSupport] = field(default_factory=dict)

    def workflow(self, snapshot: WorkflowSnapshot) -> JsonObject:
        parts = WorkflowParts.of(snapshot)
        return self._workflow(parts, _transactions((*snapshot.workflow.transactions, *_credits(parts))))

    def planned(self, snapshot: WorkflowSnapshot, *, is_short: bool) -> JsonObject:
        """Render what a submission would make: nothing of it is stored, and its debits have no ids (capture)."""
        debits = _transactions(snapshot.workflow.transactions, with_ids=False)
        return self._workflow(WorkflowParts.of(snapshot), {**debits, "insufficientBuzz": is_short})

    def step(self, snapshot: WorkflowSnapshot, index: int) -> JsonObject:
        """Render one step, which may be one that a `repeat` has spawned."""
        return self._step(WorkflowParts.of(snapshot), index)

    def _workflow(self, parts: "WorkflowParts", transactions: JsonObject) -> JsonObject:
        workflow, progress = parts.workflow, parts.progress
        steps: list[Json] = [
            self._step(parts, index) for index, step in enumerate(workflow.steps) if step.spawned_by is None
        ]
        tips: JsonObject = {
            "civitai": plain_number(workflow.tips.civitai),
            "creators": plain_number(workflow.tips.creators),
        }
        return {
            "id": workflow.id,
            "createdAt": date_text(workflow.created_at),
            "transactions": transactions,
            "metadata": as_members(workflow.metadata),
            "status": progress.status,
            **_times(progress),
            "tags": list(workflow.tags),
            "arguments": as_members(workflow.arguments),
            "steps": steps,
            "callbacks": [_callback(callback) for callback in workflow.callbacks],
            "tips": tips,
            "cost": _cost(remaining_cost(workflow, progress)),
            **_maturity(parts),
            "upgradeMode": workflow.upgrade_mode,
            "currencies": list(workflow.currencies),
            "forceRefunded": False,
            **_options(workflow),
        }

    def _step(self, parts: "WorkflowParts", index: int) -> JsonObject:
        step, own = parts.workflow.steps[index], parts.progress.steps[index]
        output = self._output(parts, index)
        reason = step.failure.reason if step.failure else None
        jobs = {job.id: job for job in parts.jobs.get(index, ())}
        positions = {job_id: self._position(job) for job_id, job in jobs.items()}
        cost = _cost_of_job(step, jobs.values())
        return {
            "$type": step.type,
            "input": shown_input(step.type, step.input),
            **({} if output is None else {"output": output}),
            "name": step.name,
            "priority": step.priority,
            **({} if step.timeout is None else {"timeout": format_timespan(step.timeout)}),
            **({} if step.retries is None else {"retries": step.retries}),
            "jobs": [_job(job_id, jobs.get(job_id), positions.get(job_id, {}), cost) for job_id in step.jobs],
            "status": own.status,
            **_times(own),
            "metadata": as_members(step.metadata),
            **_rate(own),
            **next(filter(None, positions.values()), {}),
            **({} if reason is None else {"reason": reason}),
        }

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
        position = self.positions.get(job.id)
        support: JsonObject = {"support": self.support[job.id].lower()}
        return {"queuePosition": support if position is None else support | _place(position)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowParts:
    """Is a workflow as it was read, with its jobs and the children of each `repeat` by the places of their steps."""

    snapshot: WorkflowSnapshot
    progress: WorkflowProgress
    jobs: Mapping[int, Sequence[Job]]
    children: Mapping[int, Sequence[int]]

    @classmethod
    def of(cls, snapshot: WorkflowSnapshot) -> Self:
        jobs: dict[int, list[Job]] = {}
        for job in snapshot.jobs:
            if job.workflow is not None:
                jobs.setdefault(job.workflow.step, []).append(job)
        children: dict[int, list[int]] = {}
        for index, step in enumerate(snapshot.workflow.steps):
            if step.spawned_by is not None:
                children.setdefault(step.spawned_by, []).append(index)
        return cls(snapshot=snapshot, progress=workflow_progress(snapshot), jobs=jobs, children=children)

    @property
    def workflow(self) -> Workflow:
        return self.snapshot.workflow

    def latest_jobs(self, index: int) -> Sequence[Job]:
        """Return the jobs of a step that count: of one that was made again, the last; they come in that order."""
        latest = {job.workflow.index: job for job in self.jobs.get(index, ()) if job.workflow is not None}
        return [latest[place] for place in sorted(latest)]


def _job(job_id: str, job: Job | None, position: JsonObject, cost: float) -> JsonObject:
    """Render a job; one that is not stored yet waits like any other."""
    progress = UNASSIGNED if job is None else job_progress(job)
    reason = None if job is None else reason_of(job)
    return {
        "id": job_id,
        "status": progress.status,
        **_times(progress),
        **position,
        "cost": cost,
        **_rate(progress),
        **({} if reason is None else {"reason": reason}),
    }


def _cost_of_job(step: WorkflowStep, jobs: Collection[Job]) -> float:
    """Return the share of a job in the base of its step (captures); to make one again costs nothing more."""
    made_again = sum(job.workflow is not None and job.workflow.attempt > 0 for job in jobs)
    return plain_number(step.cost.base / max(len(step.jobs) - made_again, 1))


def _place(position: QueuePosition) -> JsonObject:
    start = position.estimated_start_at
    return {
        "precedingJobs": position.preceding_jobs,
        "startAt": date_text(start),
        "completeAt": date_text(start + USUAL_DURATION),
    }


def _times(progress: Progress) -> JsonObject:
    times: Mapping[str, datetime | None] = {"startedAt": progress.started_at, "completedAt": progress.completed_at}
    return {name: date_text(moment) for name, moment in times.items() if moment is not None}


def _rate(progress: Progress) -> JsonObject:
    if progress.rate is None or progress.status.is_over or progress.started_at is None:
        return {}
    return {"estimatedProgressRate": plain_number(progress.rate)}


def _credits(parts: WorkflowParts) -> Sequence[Transaction]:
    """Return what was given back, also of a workflow whose end is not noted yet: it shows the same before and after."""
    if parts.workflow.memo is not None:
        return parts.workflow.memo.credits
    return credits_for(parts.workflow, parts.progress) if parts.progress.status.is_over else ()


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
    factors: JsonObject = {name: plain_number(factor) for name, factor in cost.factors.items()}
    return {
        "base": cost.base,
        **({"factors": factors} if factors else {}),
        **({"fixed": dict(cost.fixed)} if cost.fixed else {}),
        "tips": {"civitai": cost.civitai_tip, "creators": cost.creators_tip},
        "total": cost.total,
    }


def _maturity(parts: WorkflowParts) -> JsonObject:
    """Return the highest level of what was made so far, if it is known, and whether more would be allowed."""
    workflow = parts.workflow
    level = workflow.memo.nsfw_level if workflow.memo else level_of(parts.snapshot.jobs)
    allowed = workflow.allow_mature_content
    return {
        **({} if (level or workflow.nsfw_level) is None else {"nsfwLevel": level or workflow.nsfw_level}),
        **({} if workflow.experimental is None else {"experimental": workflow.experimental}),
        **({} if allowed is None else {"allowMatureContent": allowed}),
    }


def _options(workflow: Workflow) -> JsonObject:
    """Return members of the end, which are there if they were sent; an external id has its owner in it (capture)."""
    ephemeral: JsonObject = {"ephemeral": True} if workflow.is_ephemeral else {}
    if workflow.external_id is None:
        return ephemeral
    return {**ephemeral, "externalId": f"{user_number(workflow.owner)}-{workflow.external_id}"}


def plain_document(document: JsonObject) -> JsonObject:
    """Return a document as a reader of its JSON has it, which a patch can change."""
    plain: JsonObject = orjson.loads(orjson.dumps(document))
    return plain


async def renderer_for(
    request: Request, snapshots: Sequence[WorkflowSnapshot], *, hides_mature_content: bool
) -> WorkflowRenderer:
    """Make a renderer that knows where in the queue the jobs are; claimed ones need no query, ended ones nothing."""
    cases = use_cases(request)
    unfinished = [job for snapshot in snapshots for job in snapshot.jobs if job.outcome is None]
    return WorkflowRenderer(
        step_types=cases.workflows.step_types,
        base_url=base_url(request),
        hides_mature_content=hides_mature_content,
        positions=await cases.queue_positions(unfinished) if unfinished else {},
        support=cases.support(unfinished) if unfinished else {},
    )
