"""Take workflows further by what their jobs have done, and note how they ended."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InsufficientBuzzError, InvalidRequestError
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.maturity import highest
from civitai_mock.domain.money import Balances
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
from civitai_mock.domain.workflow_cost import memo_of
from civitai_mock.domain.workflow_progress import WorkflowProgress, workflow_progress
from civitai_mock.ports import Clock, JobStore, Metrics, ResourceStore, WorkflowStore
from civitai_mock.services.cancel import canceled
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.workflows.announce import AnnounceStatuses
from civitai_mock.services.workflows.late_inputs import reason_in
from civitai_mock.services.workflows.next_steps import Advance, FindNextSteps, can_go_further, missing_jobs
from civitai_mock.services.workflows.recent import RecentWorkflows
from civitai_mock.services.workflows.step_jobs import BuildStepJobs, publish_new_jobs

logger = structlog.stdlib.get_logger()

MOST_ROUNDS, ROUNDS_AT_ONCE = 1000, 10  # of reading a workflow and changing it; then other work has its turn


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
    next_steps: FindNextSteps
    announce: AnnounceStatuses
    recent: RecentWorkflows
    event_bus: EventBus
    clock: Clock
    metrics: Metrics
    get_balances: Callable[[], Balances]
    lifetime: timedelta

    async def __call__(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Take a workflow as far as it goes now, and return it; None if it does not exist any more.

        One that is damaged, as it may be in a store that others have written, is left as it is after `MOST_ROUNDS`.
        """
        snapshot: WorkflowSnapshot | None = None
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS_AT_ONCE:
                await asyncio.sleep(0)
            snapshot = self.recent.take(workflow_id) or await self.workflows.get(workflow_id)
            if snapshot is None or snapshot.workflow.memo is not None:
                return snapshot
            if await self._mend(snapshot):
                continue
            progress = workflow_progress(snapshot)
            if not await self.announce(snapshot, progress):
                continue
            if progress.status.is_over:
                over = await self._end(snapshot, progress)
                if over is not None:
                    return over
                continue
            step = await self.next_steps(snapshot, progress)
            if step is None:
                return snapshot
            await self._write(snapshot.workflow, step)
        logger.error("workflow cannot go on", workflow_id=workflow_id)
        return snapshot

    def is_quiet(self, workflow_id: str) -> bool:
        return workflow_id in self.announce.quiet

    async def due(self, *, after: str, limit: int) -> tuple[Sequence[str], str | None]:
        """Return which unfinished workflows of a page can go further, and where the next page begins.

        Those with callbacks are always among them: what was announced is in the outbox.
        """
        page = await self.workflows.unfinished(after=after, limit=limit)
        jobs = await self.workflows.jobs_of([workflow.id for workflow in page])
        snapshots = [WorkflowSnapshot(workflow=workflow, jobs=jobs.get(workflow.id, ())) for workflow in page]
        ids = [found.workflow.id for found in snapshots if found.workflow.callbacks or can_go_further(found)]
        return ids, page[-1].id if len(page) == limit else None

    async def _mend(self, snapshot: WorkflowSnapshot) -> bool:
        """Do what a crash, or a canceling that is under way, has left to do with jobs; return whether it was anything.

        Jobs that the workflow names and that are not stored are made, those of a canceled one are ended.
        """
        workflow = snapshot.workflow
        places = missing_jobs(snapshot)
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
            await self._write(workflow, self.next_steps.failed_at(workflow, places, reason=reason_in(error)))
            return
        await self.resources.add_missing(built.new_resources)
        if await self.workflows.add_missing_jobs(built.jobs):
            logger.info("missing jobs made", workflow_id=workflow.id, jobs=len(built.jobs))
            publish_new_jobs(self.event_bus, built.jobs)

    async def _cancel(self, job: Job) -> None:
        ended = canceled(job, at=self.clock.now())
        if await self.jobs.replace(job, ended):
            self.event_bus.publish_changes([ended])
            self.event_bus.publish_ends([ended])

    async def _write(self, before: Workflow, step: Advance) -> None:
        """Write a change, unless somebody else has changed the workflow."""
        await self.resources.add_missing(step.new_resources)
        try:
            written = await self.workflows.replace(before, step.workflow, jobs=step.jobs, balances=self.get_balances())
        except InsufficientBuzzError:
            return  # another submission was quicker: what is left is asked for again
        if written:
            publish_new_jobs(self.event_bus, step.jobs)
            self.event_bus.publish_workflows([step.workflow.id])

    async def _end(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> WorkflowSnapshot | None:
        """Note how a workflow has ended, for as long as all of its jobs are kept; return None if it is to be read anew.

        That is so if somebody else has changed it meanwhile.
        """
        workflow = snapshot.workflow
        memo = memo_of(workflow, progress, nsfw_level=level_of(snapshot.jobs), jobs=snapshot.jobs)
        if memo is None:
            return None
        keep_until = min([memo.completed_at + self.lifetime, *(job.keep_until for job in snapshot.jobs)])
        over = workflow.over(memo, keep_until=keep_until)
        if not await self.workflows.replace(workflow, over, balances=self.get_balances()):
            return None
        self.announce.quiet.discard(over.id)
        self.metrics.workflows_ended[memo.status] += 1
        logger.info("workflow done", workflow_id=workflow.id, trace_id=workflow.trace_id, status=memo.status)
        self.event_bus.publish_workflows([over.id])
        return WorkflowSnapshot(workflow=over, jobs=snapshot.jobs)


def level_of(jobs: Sequence[Job]) -> str | None:
    """Return how mature the most mature file is that the jobs have made; None if there is none."""
    levels = [
        slot.facts.nsfw_level
        for job in jobs
        for slot in job.slots
        if slot.available and slot.facts is not None and slot.facts.nsfw_level is not None
    ]
    return highest(levels) if levels else None
