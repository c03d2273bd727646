"""What can be done to the steps of a workflow now: make them ready, spawn others, make their failed jobs again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InsufficientBuzzError, InvalidRequestError
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.money import Balances
from civitai_mock.domain.references import REPEAT
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.domain.workflow_progress import WorkflowProgress, lacks_retry, workflow_progress
from civitai_mock.ports import Clock, WorkflowStore
from civitai_mock.services.workflows.late_inputs import ResolveInputs, StepFailedError, jobs_of_step, reason_in
from civitai_mock.services.workflows.repeat import SpawnSteps
from civitai_mock.services.workflows.step_jobs import BuildStepJobs, job_places

logger = structlog.stdlib.get_logger()

MOST_AT_ONCE = 100  # steps that are made ready in one write


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Is one change of a workflow, with the jobs that come with it."""

    workflow: Workflow
    jobs: tuple[Job, ...] = ()
    new_resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindNextSteps:
    """Finds what follows for the steps from what their jobs have done; nothing is stored."""

    workflows: WorkflowStore
    build: BuildStepJobs
    resolve: ResolveInputs
    spawn: SpawnSteps
    clock: Clock
    get_balances: Callable[[], Balances]

    async def __call__(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> Advance | None:
        """Return what can be done now; None for nothing."""
        if snapshot.workflow.canceled_at is not None:
            return None
        again = jobs_to_make_again(snapshot)
        if again:
            return await self._made_again(snapshot.workflow, again)
        ready = list(islice(ready_steps(snapshot, progress), MOST_AT_ONCE))
        advance = Advance(workflow=snapshot.workflow)
        for index in ready:
            advance = await self._with_step(advance, snapshot, index)
        return advance if ready else None

    def failed_at(self, workflow: Workflow, places: Sequence[WorkflowPlace], *, reason: str) -> Advance:
        """Let the steps fail whose jobs can be made no more."""
        for index in {place.step for place in places}:
            workflow = self._failed(workflow, index, reason=reason)
        return Advance(workflow=workflow)

    async def _made_again(self, workflow: Workflow, places: Sequence[WorkflowPlace]) -> Advance:
        try:
            built = await self.build.again(workflow, places)
        except InvalidRequestError as error:
            return self.failed_at(workflow, places, reason=reason_in(error))
        for place in places:
            workflow = workflow.step_retried(place)
        return Advance(workflow=workflow, jobs=tuple(built.jobs), new_resources=tuple(built.new_resources))

    async def _with_step(self, advance: Advance, snapshot: WorkflowSnapshot, index: int) -> Advance:
        """Add that a step is ready, or has failed."""
        workflow, now = advance.workflow, self.clock.now()
        try:
            if workflow.steps[index].type == REPEAT:
                return replace(advance, workflow=await self._spawned(workflow, snapshot, index, at=now))
            complete = self.resolve.complete(snapshot, index)
            built = await self.build(workflow.with_step(index, input=complete), [index])
        except StepFailedError as error:
            return replace(advance, workflow=self._failed(workflow, index, reason=str(error)))
        except InvalidRequestError as error:
            return replace(advance, workflow=self._failed(workflow, index, reason=reason_in(error)))
        return Advance(
            workflow=workflow.step_made_ready(index, complete, jobs=len(built.jobs), at=now),
            jobs=(*advance.jobs, *built.jobs),
            new_resources=(*advance.new_resources, *built.new_resources),
        )

    async def _spawned(self, workflow: Workflow, snapshot: WorkflowSnapshot, index: int, *, at: datetime) -> Workflow:
        """Spawn the steps of a `repeat`, which are paid for now, and made ready in the next round."""
        spawned = self.spawn(snapshot, index)
        ready = workflow.step_made_ready(index, workflow.steps[index].input, jobs=0, at=at).with_more_steps(spawned)
        try:
            return charge(ready, self.get_balances(), await self.workflows.spent(workflow.owner))
        except InsufficientBuzzError as error:
            raise StepFailedError(f"insufficientBuzz: {error.message}") from error

    def _failed(self, workflow: Workflow, index: int, *, reason: str) -> Workflow:
        logger.warning("step failed", workflow_id=workflow.id, step=workflow.steps[index].name, reason=reason)
        return workflow.step_failed(index, reason=reason, at=self.clock.now())


def can_go_further(snapshot: WorkflowSnapshot) -> bool:
    """Return whether there is anything to do for a workflow that is not known to be over."""
    workflow = snapshot.workflow
    progress = workflow_progress(snapshot)
    if progress.status.is_over or missing_jobs(snapshot):
        return True
    if workflow.canceled_at is not None:
        return any(job.outcome is None for job in snapshot.jobs)
    return bool(jobs_to_make_again(snapshot)) or next(ready_steps(snapshot, progress), None) is not None


def missing_jobs(snapshot: WorkflowSnapshot) -> Sequence[WorkflowPlace]:
    """Return the places of jobs that the workflow names and that are not stored."""
    known = {job.id for job in snapshot.jobs}
    return [
        place
        for index, step in enumerate(snapshot.workflow.steps)
        if step.failure is None and not known.issuperset(step.jobs)
        for job_id, place in job_places(snapshot.workflow, index).items()
        if job_id not in known
    ]


def jobs_to_make_again(snapshot: WorkflowSnapshot) -> Sequence[WorkflowPlace]:
    """Return the places of jobs that follow those which failed and have retries left."""
    return [
        replace(job.workflow, attempt=job.workflow.attempt + 1)
        for index, step in enumerate(snapshot.workflow.steps)
        if step.retries and step.failure is None
        for job in jobs_of_step(snapshot, index)
        if job.workflow is not None and lacks_retry(step, job)
    ]


def ready_steps(snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> Iterator[int]:
    """Return the places of steps that wait, and whose sources have all succeeded."""
    for index, step in enumerate(snapshot.workflow.steps):
        if step.waits and all(progress.steps[source].status is WorkflowStatus.SUCCEEDED for source in step.sources):
            yield index
