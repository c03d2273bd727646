"""Take workflows further: make steps ready whose sources have succeeded, make jobs again, and note how all ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import InsufficientBuzzError, InvalidRequestError
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.maturity import highest
from civitai_mock.domain.money import Balances
from civitai_mock.domain.references import REPEAT
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_cost import charge, memo_of
from civitai_mock.domain.workflow_progress import WorkflowProgress, lacks_retry, workflow_progress
from civitai_mock.ports import Clock, JobStore, Metrics, ResourceStore, WorkflowStore
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.workflows.announce import AnnounceStatuses
from civitai_mock.services.workflows.late_inputs import ResolveInputs, StepFailedError, jobs_of_step, reason_in
from civitai_mock.services.workflows.repeat import SpawnSteps
from civitai_mock.services.workflows.step_jobs import BuildStepJobs, job_places, publish_new_jobs

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Is one change of a workflow, with the jobs that come with it."""

    workflow: Workflow
    jobs: tuple[Job, ...] = ()
    new_resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceWorkflows:
    """Does what follows from what has happened to the jobs of a workflow.

    Any number of processes may do so at once, or again after a crash: each write is conditional, the ids of jobs follow
    from their places, and what was announced is not announced again.
    """

    workflows: WorkflowStore
    jobs: JobStore
    resources: ResourceStore
    build: BuildStepJobs
    resolve: ResolveInputs
    spawn: SpawnSteps
    announce: AnnounceStatuses
    event_bus: EventBus
    clock: Clock
    metrics: Metrics
    balances: Balances
    lifetime: timedelta

    async def __call__(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Take a workflow as far as it goes now, and return it; None if it does not exist any more."""
        while True:
            snapshot = await self.workflows.get(workflow_id)
            if snapshot is None or snapshot.workflow.memo is not None:
                return snapshot
            if await self._mend(snapshot):
                continue
            progress = workflow_progress(snapshot)
            if not await self.announce(snapshot, progress):
                continue
            if progress.status.is_over:
                await self._end(snapshot, progress)
                continue
            step = await self._next(snapshot, progress)
            if step is None:
                return snapshot
            await self._write(snapshot.workflow, step)

    async def due(self, *, after: str, limit: int) -> tuple[Sequence[str], str | None]:
        """Return which unfinished workflows of a page can go further, and where the next page begins.

        Those with callbacks are always among them: what was announced is in the outbox.
        """
        page = await self.workflows.unfinished(after=after, limit=limit)
        jobs = await self.workflows.jobs_of([workflow.id for workflow in page])
        snapshots = [WorkflowSnapshot(workflow=workflow, jobs=jobs.get(workflow.id, ())) for workflow in page]
        ids = [found.workflow.id for found in snapshots if found.workflow.callbacks or _can_go_further(found)]
        return ids, page[-1].id if len(page) == limit else None

    async def _mend(self, snapshot: WorkflowSnapshot) -> bool:
        """Do what a crash, or a canceling that is under way, has left to do with jobs; return whether it was anything.

        Jobs that the workflow names and that are not stored are made, those of a canceled one are ended.
        """
        workflow = snapshot.workflow
        places = _missing_jobs(snapshot)
        if places:
            await self._make_missing(workflow, places)
        unfinished = [job for job in snapshot.jobs if job.outcome is None] if workflow.canceled_at else []
        for job in unfinished:
            await self._cancel(job)
        return bool(places or unfinished)

    async def _make_missing(self, workflow: Workflow, places: Sequence[WorkflowPlace]) -> None:
        try:
            built = await self.build.again(workflow, places)
        except InvalidRequestError as error:
            await self._write(workflow, self._failed_at(workflow, places, reason=reason_in(error)))
            return
        await self.resources.add_missing(built.new_resources)
        if await self.workflows.add_missing_jobs(built.jobs):
            logger.info("missing jobs made", workflow_id=workflow.id, jobs=len(built.jobs))
            publish_new_jobs(self.event_bus, built.jobs)

    async def _cancel(self, job: Job) -> None:
        ended = job.ended(Outcome.DELETED, at=self.clock.now(), context={})
        if await self.jobs.replace(job, ended):
            self.event_bus.publish_changes([ended])
            self.event_bus.publish_ends([ended])

    async def _next(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> Advance | None:
        """Return what can be done to the steps now; None for nothing."""
        workflow = snapshot.workflow
        if workflow.canceled_at is not None:
            return None
        again = _jobs_to_make_again(snapshot)
        if again:
            return await self._made_again(workflow, again)
        ready = next(_ready_steps(snapshot, progress), None)
        return None if ready is None else await self._ready(snapshot, ready)

    async def _made_again(self, workflow: Workflow, places: Sequence[WorkflowPlace]) -> Advance:
        try:
            built = await self.build.again(workflow, places)
        except InvalidRequestError as error:
            return self._failed_at(workflow, places, reason=reason_in(error))
        for place in places:
            workflow = workflow.step_retried(place)
        return Advance(workflow=workflow, jobs=tuple(built.jobs), new_resources=tuple(built.new_resources))

    async def _ready(self, snapshot: WorkflowSnapshot, index: int) -> Advance:
        """Make a step ready, or let it fail."""
        workflow, now = snapshot.workflow, self.clock.now()
        try:
            if workflow.steps[index].type == REPEAT:
                return await self._spawned(snapshot, index, at=now)
            complete = self.resolve.complete(snapshot, index)
            built = await self.build(workflow.with_step(index, input=complete), [index])
        except StepFailedError as error:
            return self._failed(workflow, index, reason=str(error))
        except InvalidRequestError as error:
            return self._failed(workflow, index, reason=reason_in(error))
        ready = workflow.step_made_ready(index, complete, jobs=len(built.jobs), at=now)
        return Advance(workflow=ready, jobs=tuple(built.jobs), new_resources=tuple(built.new_resources))

    async def _spawned(self, snapshot: WorkflowSnapshot, index: int, *, at: datetime) -> Advance:
        """Spawn the steps of a `repeat`, which are paid for now, and make them ready in the next round."""
        workflow = snapshot.workflow
        spawned = self.spawn(snapshot, index)
        ready = workflow.step_made_ready(index, workflow.steps[index].input, jobs=0, at=at).with_more_steps(spawned)
        try:
            charged = charge(ready, self.balances, await self.workflows.spent(workflow.owner))
        except InsufficientBuzzError as error:
            raise StepFailedError(f"insufficientBuzz: {error.message}") from error
        return Advance(workflow=charged)

    def _failed_at(self, workflow: Workflow, places: Sequence[WorkflowPlace], *, reason: str) -> Advance:
        """Let the steps fail whose jobs can be made no more."""
        for index in {place.step for place in places}:
            workflow = self._failed(workflow, index, reason=reason).workflow
        return Advance(workflow=workflow)

    def _failed(self, workflow: Workflow, index: int, *, reason: str) -> Advance:
        logger.warning("step failed", workflow_id=workflow.id, step=workflow.steps[index].name, reason=reason)
        return Advance(workflow=workflow.step_failed(index, reason=reason, at=self.clock.now()))

    async def _write(self, before: Workflow, step: Advance) -> None:
        """Write a change, unless somebody else has changed the workflow."""
        await self.resources.add_missing(step.new_resources)
        try:
            written = await self.workflows.replace(before, step.workflow, jobs=step.jobs, balances=self.balances)
        except InsufficientBuzzError:
            return  # another submission was quicker: what is left is asked for again
        if written:
            publish_new_jobs(self.event_bus, step.jobs)
            self.event_bus.publish_workflows([step.workflow.id])

    async def _end(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> None:
        """Note how a workflow has ended, for as long as all of its jobs are kept."""
        workflow = snapshot.workflow
        memo = memo_of(workflow, progress, nsfw_level=level_of(snapshot.jobs))
        if memo is None:
            return
        keep_until = min([memo.completed_at + self.lifetime, *(job.keep_until for job in snapshot.jobs)])
        over = workflow.over(memo, keep_until=keep_until)
        if await self.workflows.replace(workflow, over, balances=self.balances):
            self.metrics.workflows_ended[memo.status] += 1
            logger.info("workflow done", workflow_id=workflow.id, trace_id=workflow.trace_id, status=memo.status)
            self.event_bus.publish_workflows([over.id])


def _can_go_further(snapshot: WorkflowSnapshot) -> bool:
    workflow = snapshot.workflow
    progress = workflow_progress(snapshot)
    if progress.status.is_over or _missing_jobs(snapshot):
        return True
    if workflow.canceled_at is not None:
        return any(job.outcome is None for job in snapshot.jobs)
    return bool(_jobs_to_make_again(snapshot)) or next(_ready_steps(snapshot, progress), None) is not None


def _missing_jobs(snapshot: WorkflowSnapshot) -> Sequence[WorkflowPlace]:
    """Return the places of jobs that the workflow names and that are not stored."""
    known = {job.id for job in snapshot.jobs}
    return [
        place
        for index, step in enumerate(snapshot.workflow.steps)
        if not known.issuperset(step.jobs)
        for job_id, place in job_places(snapshot.workflow, index).items()
        if job_id not in known
    ]


def _jobs_to_make_again(snapshot: WorkflowSnapshot) -> Sequence[WorkflowPlace]:
    return [
        replace(job.workflow, attempt=job.workflow.attempt + 1)
        for index, step in enumerate(snapshot.workflow.steps)
        if step.retries
        for job in jobs_of_step(snapshot, index)
        if job.workflow is not None and lacks_retry(step, job)
    ]


def _ready_steps(snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> Iterator[int]:
    """Return the places of steps that wait, and whose sources have all succeeded."""
    for index, step in enumerate(snapshot.workflow.steps):
        if step.waits and all(progress.steps[source].status is WorkflowStatus.SUCCEEDED for source in step.sources):
            yield index


def level_of(jobs: Sequence[Job]) -> str | None:
    """Return how mature the most mature file is that the jobs have made; None if there is none."""
    levels = [
        slot.facts.nsfw_level
        for job in jobs
        for slot in job.slots
        if slot.available and slot.facts is not None and slot.facts.nsfw_level is not None
    ]
    return highest(levels) if levels else None
