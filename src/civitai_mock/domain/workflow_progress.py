"""How far a workflow and its steps are: what follows from their jobs, and from nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from graphlib import TopologicalSorter

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import as_text
from civitai_mock.domain.progress import SamplingProgress, progress_of
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStatus, WorkflowStep

STATUS_OF_STAGE: Mapping[Stage, WorkflowStatus] = {
    Stage.QUEUED: WorkflowStatus.UNASSIGNED,
    Stage.CLAIMED: WorkflowStatus.PREPARING,
    Stage.PROMPT_PREPARED: WorkflowStatus.SCHEDULED,
    Stage.SENT_TO_COMFY: WorkflowStatus.PROCESSING,
}
STATUS_OF_OUTCOME: Mapping[Outcome, WorkflowStatus] = {
    Outcome.SUCCEEDED: WorkflowStatus.SUCCEEDED,
    Outcome.FAILED: WorkflowStatus.FAILED,
    Outcome.EXPIRED: WorkflowStatus.EXPIRED,
    Outcome.DELETED: WorkflowStatus.CANCELED,
}
FURTHEST_LAST = list(WorkflowStatus)
WORST_FIRST = (WorkflowStatus.FAILED, WorkflowStatus.EXPIRED, WorkflowStatus.CANCELED)
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Says how far a job, a step or a workflow is.

    `started_at` is None before the first start, and `completed_at` until it is over. `rate` (0 to 1) says how much is
    done of what is running.
    """

    status: WorkflowStatus
    started_at: datetime | None = None
    completed_at: datetime | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowProgress(Progress):
    """Has the progress of each step, too, in their order.

    If it is canceled and `keeps_finished`, the steps that are finished are paid for.
    """

    steps: Sequence[Progress]
    keeps_finished: bool = False


WAITING = Progress(status=WorkflowStatus.UNASSIGNED)
NOTHING: Mapping[str, SamplingProgress] = {}


def workflow_progress(
    snapshot: WorkflowSnapshot, running: Mapping[str, SamplingProgress] = NOTHING
) -> WorkflowProgress:
    """Return how far a workflow and its steps are; `running` has what is known of its jobs that no event tells."""
    workflow = snapshot.workflow
    in_order = _progress_of_steps(workflow, {job.id: job for job in snapshot.jobs}, running)
    whole = _rolled_up(in_order)
    is_canceled = workflow.canceled_at is not None and whole.status.is_failed and _any_canceled(in_order)
    return WorkflowProgress(
        status=WorkflowStatus.CANCELED if is_canceled else whole.status,
        started_at=whole.started_at,
        completed_at=whole.completed_at,
        rate=whole.rate,
        steps=in_order,
        keeps_finished=is_canceled and any(job.faults and _is_repriced(job) for job in snapshot.jobs),
    )


def _progress_of_steps(
    workflow: Workflow, jobs: Mapping[str, Job], running: Mapping[str, SamplingProgress]
) -> Sequence[Progress]:
    """Return how far each step is, in their order."""
    canceled_at = workflow.canceled_at
    if len(workflow.steps) == 1:  # which waits for no other one, and has spawned none
        step = workflow.steps[0]
        parts = _latest(step, jobs, running, retries=canceled_at is None)
        return [_step_progress(step, parts, (), canceled_at=canceled_at)]
    steps: dict[int, Progress] = {}
    children = _children(workflow.steps)
    for index in _sources_first(workflow.steps, children):
        step = workflow.steps[index]
        parts = _latest(step, jobs, running, retries=canceled_at is None)
        if index in children:
            parts += [steps[child] for child in children[index]]
        sources = [steps[source] for source in step.sources]
        steps[index] = _step_progress(step, parts, sources, canceled_at=canceled_at)
    return [steps[index] for index in range(len(workflow.steps))]


def job_progress(job: Job, running: SamplingProgress | None = None) -> Progress:
    """Return how far a job is; it starts with the last claim, whose events say how long ago that was.

    What is known of it as it is `running` counts more than its events.
    """
    status = STATUS_OF_STAGE[job.stage] if job.outcome is None else STATUS_OF_OUTCOME[job.outcome]
    if job.faults and status is WorkflowStatus.UNASSIGNED and _waits_for_ever(job):
        status = WorkflowStatus.SCHEDULED  # as a job that seems to have its turn next, and never has it
    progress = running or progress_of(job)
    return Progress(
        status=status,
        started_at=None if job.stage is Stage.QUEUED and job.outcome is None else _claimed_at(job),
        completed_at=None if job.outcome is None else job.last_event.at,
        rate=None if progress is None else progress.fraction,
    )


def _waits_for_ever(job: Job) -> bool:
    from civitai_mock.domain.faults.job_effects import waits_for_ever  # noqa: PLC0415 - as mostly there are no faults

    return waits_for_ever(job)


def _is_repriced(job: Job) -> bool:
    from civitai_mock.domain.faults.job_effects import canceled_cost  # noqa: PLC0415 - as above

    return canceled_cost(job) is not None


def _claimed_at(job: Job) -> datetime | None:
    if job.claim is not None:
        return job.claim.at
    since = job.last_event.claim_duration
    return None if since is None else job.last_event.at - since


def reason_of(job: Job) -> str | None:
    """Return why a job did not succeed: `timeout`, `expired` or `canceled` in the words of v2, or the error."""
    if job.outcome in {None, Outcome.SUCCEEDED}:
        return None
    if job.outcome is not Outcome.FAILED:
        return str(STATUS_OF_OUTCOME[job.outcome])
    reason = as_text(job.last_event.context.get("reason"))
    return TIMEOUT if reason.startswith(TIMEOUT) else reason or None


def lacks_retry(step: WorkflowStep, job: Job) -> bool:
    """Return whether a job has failed that its step will make again."""
    place = job.workflow
    return job.outcome is Outcome.FAILED and place is not None and place.attempt < (step.retries or 0)


def _step_progress(
    step: WorkflowStep, parts: Sequence[Progress], sources: Sequence[Progress], *, canceled_at: datetime | None
) -> Progress:
    """Return how far a step is, whose jobs and spawned steps are `parts`."""
    if step.failure is not None:
        return Progress(status=WorkflowStatus.FAILED, completed_at=step.failure.at)
    if step.ready_at is None:
        doomed_at = [source.completed_at for source in sources if source.status.is_failed and source.completed_at]
        if canceled_at is not None:
            doomed_at.append(canceled_at)
        if doomed_at:
            return Progress(status=WorkflowStatus.CANCELED, completed_at=min(doomed_at))
        return WAITING
    if not parts:
        return Progress(status=WorkflowStatus.SUCCEEDED, started_at=step.ready_at, completed_at=step.ready_at)
    return _rolled_up(parts)


def _rolled_up(parts: Sequence[Progress]) -> Progress:
    """Return how far something is whose parts are so far: over when all are, and failed if one of them did."""
    if len(parts) == 1 and (parts[0].rate is None or not parts[0].status.is_over):
        return parts[0]
    status = _status_of([part.status for part in parts])
    ends = [part.completed_at for part in parts if part.completed_at is not None]
    return Progress(
        status=status,
        started_at=min((part.started_at for part in parts if part.started_at is not None), default=None),
        completed_at=max(ends, default=None) if status.is_over else None,
        rate=None if status.is_over else _mean_rate(parts),
    )


def _status_of(parts: Sequence[WorkflowStatus]) -> WorkflowStatus:
    unfinished = [status for status in parts if not status.is_over]
    if unfinished:
        has_begun = len(unfinished) < len(parts)
        return WorkflowStatus.PROCESSING if has_begun else max(unfinished, key=FURTHEST_LAST.index)
    return next((status for status in WORST_FIRST if status in parts), WorkflowStatus.SUCCEEDED)


def _mean_rate(parts: Sequence[Progress]) -> float | None:
    """Return how much is done of all parts together; None if none is over or has said how far it is."""
    if all(part.rate is None and not part.status.is_over for part in parts):
        return None
    return sum(1.0 if part.status.is_over else part.rate or 0.0 for part in parts) / len(parts)


def _latest(
    step: WorkflowStep, jobs: Mapping[str, Job], running: Mapping[str, SamplingProgress], *, retries: bool
) -> list[Progress]:
    """Return how far the jobs of a step are; one that is made again counts no more, and one that is missing waits.

    With `retries` one that will be made again waits, too.
    """
    if len(step.jobs) == 1:
        job = jobs.get(step.jobs[0])
        is_waiting = job is None or (retries and lacks_retry(step, job))
        return [WAITING if job is None or is_waiting else job_progress(job, running.get(job.id))]
    latest: dict[int, Job] = {}
    missing = 0
    for job_id in step.jobs:
        job = jobs.get(job_id)
        if job is None or job.workflow is None:
            missing += 1
        elif (known := latest.get(job.workflow.index)) is None or _attempt(known) < job.workflow.attempt:
            latest[job.workflow.index] = job
    found = [
        WAITING if retries and lacks_retry(step, job) else job_progress(job, running.get(job.id))
        for job in latest.values()
    ]
    return [*found, *[WAITING] * missing]


def _attempt(job: Job) -> int:
    return job.workflow.attempt if job.workflow else 0


def _any_canceled(steps: Iterable[Progress]) -> bool:
    return any(step.status is WorkflowStatus.CANCELED for step in steps)


def _children(steps: Sequence[WorkflowStep]) -> Mapping[int, Sequence[int]]:
    """Return the places of the steps that each `repeat` has spawned."""
    children: dict[int, list[int]] = {}
    for index, step in enumerate(steps):
        if step.spawned_by is not None:
            children.setdefault(step.spawned_by, []).append(index)
    return children


def _sources_first(steps: Sequence[WorkflowStep], children: Mapping[int, Sequence[int]]) -> Iterable[int]:
    """Return the places of all steps, each after those that it depends on; mostly that is their order."""
    later = [at for at, step in enumerate(steps) if step.sources and max(step.sources) >= at]
    if not children and not later:
        return range(len(steps))
    return TopologicalSorter(
        {index: [*step.sources, *children.get(index, ())] for index, step in enumerate(steps)}
    ).static_order()
