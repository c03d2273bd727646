"""Render workflows, their steps and their jobs as v2 shows them: the members of real answers, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from civitai_mock.services.workflows.late_inputs import children_of, jobs_of_step, output_view

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
        progress = workflow_progress(snapshot)
        transactions = (*snapshot.workflow.transactions, *_credits(snapshot.workflow, progress))
        return self._workflow(snapshot, progress, _transactions(transactions))

    def planned(self, snapshot: WorkflowSnapshot, *, is_short: bool) -> JsonObject:
        """Render what a submission would make: nothing of it is stored, and its debits have no ids (capture)."""
        debits = _transactions(snapshot.workflow.transactions, with_ids=False)
        return self._workflow(snapshot, workflow_progress(snapshot), {**debits, "insufficientBuzz": is_short})

    def step(self, snapshot: WorkflowSnapshot, index: int) -> JsonObject:
        """Render one step, which may be one that a `repeat` has spawned."""
        return self._step(snapshot, index, workflow_progress(snapshot).steps)

    def _workflow(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress, transactions: JsonObject) -> JsonObject:
        workflow = snapshot.workflow
        steps: list[Json] = [
            self._step(snapshot, index, progress.steps)
            for index, step in enumerate(workflow.steps)
            if step.spawned_by is None
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
            **_maturity(snapshot),
            "upgradeMode": workflow.upgrade_mode,
            "currencies": list(workflow.currencies),
            "forceRefunded": False,
            **_options(workflow),
        }

    def _step(self, snapshot: WorkflowSnapshot, index: int, progress: Sequence[Progress]) -> JsonObject:
        step, own = snapshot.workflow.steps[index], progress[index]
        output = self._output(snapshot, index, progress)
        reason = step.failure.reason if step.failure else None
        jobs = _jobs_by_id(snapshot, index)
        position = next((found for job in jobs.values() if (found := self._position(job))), {})
        return {
            "$type": step.type,
            "input": shown_input(step.type, step.input),
            **({} if output is None else {"output": output}),
            "name": step.name,
            "priority": step.priority,
            **({} if step.timeout is None else {"timeout": format_timespan(step.timeout)}),
            **({} if step.retries is None else {"retries": step.retries}),
            "jobs": [self._job(job_id, jobs.get(job_id), step) for job_id in step.jobs],
            "status": own.status,
            **_times(own),
            "metadata": as_members(step.metadata),
            **_rate(own),
            **position,
            **({} if reason is None else {"reason": reason}),
        }

    def _output(self, snapshot: WorkflowSnapshot, index: int, progress: Sequence[Progress]) -> JsonObject | None:
        """Return what a step answers; that of a `repeat` are the steps that it has spawned."""
        workflow = snapshot.workflow
        step = workflow.steps[index]
        if step.waits or step.failure is not None:
            return None
        children = children_of(workflow, index)
        if children or not step.jobs:
            return {"steps": [self._step(snapshot, child, progress) for child in children]}
        view = output_view(workflow, hides_mature_content=self.hides_mature_content, base_url=self.base_url)
        return self.step_types.output(step.type, step.input, jobs_of_step(snapshot, index), view=view)

    def _job(self, job_id: str, job: Job | None, step: WorkflowStep) -> JsonObject:
        """Render a job; one that is not stored yet waits like any other."""
        progress = UNASSIGNED if job is None else job_progress(job)
        reason = None if job is None else reason_of(job)
        return {
            "id": job_id,
            "status": progress.status,
            **_times(progress),
            **({} if job is None else self._position(job)),
            "cost": plain_number(step.cost.base / len(step.jobs)),
            **_rate(progress),
            **({} if reason is None else {"reason": reason}),
        }

    def _position(self, job: Job) -> JsonObject:
        """Return where in the queue a job is that nobody has claimed."""
        if job.outcome is not None or job.stage is not Stage.QUEUED or job.id not in self.support:
            return {}
        position = self.positions.get(job.id)
        support: JsonObject = {"support": self.support[job.id].lower()}
        return {"queuePosition": support if position is None else support | _place(position)}


def _place(position: QueuePosition) -> JsonObject:
    start = position.estimated_start_at
    return {
        "precedingJobs": position.preceding_jobs,
        "startAt": date_text(start),
        "completeAt": date_text(start + USUAL_DURATION),
    }


def _jobs_by_id(snapshot: WorkflowSnapshot, index: int) -> Mapping[str, Job]:
    return {job.id: job for job in snapshot.jobs if job.workflow is not None and job.workflow.step == index}


def _times(progress: Progress) -> JsonObject:
    times: Mapping[str, datetime | None] = {"startedAt": progress.started_at, "completedAt": progress.completed_at}
    return {name: date_text(moment) for name, moment in times.items() if moment is not None}


def _rate(progress: Progress) -> JsonObject:
    if progress.rate is None or progress.status.is_over or progress.started_at is None:
        return {}
    return {"estimatedProgressRate": plain_number(progress.rate)}


def _credits(workflow: Workflow, progress: WorkflowProgress) -> Sequence[Transaction]:
    """Return what was given back, also of a workflow whose end is not noted yet: it shows the same before and after."""
    if workflow.memo is not None:
        return workflow.memo.credits
    return credits_for(workflow, progress) if progress.status.is_over else ()


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


def _maturity(snapshot: WorkflowSnapshot) -> JsonObject:
    """Return the highest level of what was made so far, if it is known, and whether more would be allowed."""
    workflow = snapshot.workflow
    level = workflow.memo.nsfw_level if workflow.memo else level_of(snapshot.jobs)
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
