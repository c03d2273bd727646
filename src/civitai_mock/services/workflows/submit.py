"""Submit workflows: check them, give them a price, and store them with their first jobs, once for each external id."""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import partial

import structlog

from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import (
    ConflictError,
    InsufficientBuzzError,
    MissingResourcesError,
    TransientError,
    fault,
    refused,
)
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.money import NO_LIMIT, Balances, Spent
from civitai_mock.domain.references import REPEAT
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStep
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.domain.workflow_ids import WorkflowIds
from civitai_mock.domain.workflow_template import WorkflowTemplate, template_of
from civitai_mock.ports import Clock, Ids, Metrics, ResourceStore, WorkflowStore
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.queue_limit import QueueLimit
from civitai_mock.services.submit_checks import MissingResources
from civitai_mock.services.workflows.announce import AnnounceStatuses
from civitai_mock.services.workflows.data_urls import StoreDataUrls
from civitai_mock.services.workflows.late_inputs import StepFailedError
from civitai_mock.services.workflows.new_workflow import NewWorkflow, allowed_maturity, content_of, made_ready
from civitai_mock.services.workflows.prepared import PreparedSteps, PrepareSteps
from civitai_mock.services.workflows.recent import RecentWorkflows
from civitai_mock.services.workflows.repeat import SpawnSteps
from civitai_mock.services.workflows.step_jobs import BuildStepJobs, input_path, publish_new_jobs

logger = structlog.stdlib.get_logger()

MOST_ATTEMPTS = 8  # to find an id that is free: others may take the same milliseconds
NOT_ENABLED = "The resource '{}' is not enabled for generation."  # what clients match (v2 contract, section 10)
NO_WAY_BACK = "An ephemeral workflow needs a callback, or a wait above 0: nobody could see what came of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWorkflow:
    """Is what a submission would make; if the balance `is_short`, its debits are what would be asked for."""

    snapshot: WorkflowSnapshot
    is_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitWorkflow:
    """Takes a workflow in as a whole, or not at all.

    `lifetime` is how long it is kept after its end, `most_jobs` limits what one workflow makes. Both methods raise
    `InvalidRequestError` with each fault by its path.
    """

    workflows: WorkflowStore
    resources: ResourceStore
    prepare: PrepareSteps
    build: BuildStepJobs
    spawn: SpawnSteps
    store_data_urls: StoreDataUrls
    callback_hosts: HostPolicy
    announce: AnnounceStatuses
    recent: RecentWorkflows
    event_bus: EventBus
    queue_limit: QueueLimit
    job_faults: JobFaults
    clock: Clock
    ids: Ids
    metrics: Metrics
    get_balances: Callable[[], Balances]
    lifetime: timedelta
    most_jobs: int
    workflow_ids: WorkflowIds = field(default_factory=WorkflowIds)

    async def __call__(
        self, template: WorkflowTemplate, caller: Caller, *, base_url: str, waits: bool = False, size: int = 0
    ) -> WorkflowSnapshot:
        """Return the workflow as it is stored: the one that has this external id already, if there is one.

        `waits` says whether the caller waits for its end, `size` is that of the template, in bytes. Too little Buzz is
        an `InvalidRequestError`, too, and a full queue a `QueueFullError`.
        """
        if template.is_ephemeral and not template.callbacks and not waits:
            raise refused(NO_WAY_BACK)
        ids = await self.ids.of_request(partial(content_of, template, caller))
        prepared, steps = self._prepared(template, ids)
        if not prepared.files:
            return await self._submit(prepared, steps, caller, ids=ids, base_url=base_url, size=size)
        async with self.store_data_urls.of_submission() as files:
            for place in prepared.files:
                stored = await self.store_data_urls(
                    steps[place].input,
                    owner=caller.consumer,
                    base_url=base_url,
                    path=input_path(place),
                    uploaded=files.keys,
                )
                steps[place] = changed(steps[place], input=stored)
            snapshot = await self._submit(prepared, steps, caller, ids=ids, base_url=base_url, size=size)
            own = [step.input for step in steps]
            files.are_needed = [step.input for step in snapshot.workflow.steps[: len(own)]] == own
            return snapshot

    async def _submit(
        self,
        prepared: PreparedSteps,
        steps: Sequence[WorkflowStep],
        caller: Caller,
        *,
        ids: Ids,
        base_url: str,
        size: int,
    ) -> WorkflowSnapshot:
        """Store a workflow with these steps, or return the one that has its external id already."""
        for attempt in range(MOST_ATTEMPTS):
            try:
                new = await self._new(prepared, steps, caller, ids=ids, base_url=base_url, size=size, attempt=attempt)
            except MissingResourcesError as error:
                raise refused(*[NOT_ENABLED.format(text) for text in error.texts]) from error
            if attempt == 0:
                await self.queue_limit.take(len(new.jobs))
            try:
                return await self._store(new, size=size)
            except ConflictError:
                continue
            except InsufficientBuzzError as error:
                raise refused(f"insufficientBuzz: {error.message}") from error
        raise TransientError("No free id was found for the workflow; submit it again.")

    async def again(self, workflow: Workflow, caller: Caller) -> WorkflowSnapshot:
        """Submit once more what a workflow was made of, without its external id."""
        return await self(template_of(workflow), caller, base_url=workflow.base_url, waits=True)

    async def what_if(
        self, template: WorkflowTemplate, caller: Caller, *, base_url: str, size: int = 0
    ) -> PlannedWorkflow:
        """Return what a submission would make; nothing is stored, and the external id is not taken.

        An unknown resource is no fault here (capture).
        """
        lenient, ids = MissingResources.LENIENT, await self.ids.of_request(partial(content_of, template, caller))
        prepared, steps = self._prepared(template, ids)
        new = await self._new(prepared, steps, caller, ids=ids, base_url=base_url, size=size, missing=lenient)
        try:
            charged, is_short = (
                charge(new.workflow, self.get_balances(), await self.workflows.spent(caller.consumer)),
                False,
            )
        except InsufficientBuzzError:
            charged, is_short = _charged_without_limit(new.workflow), True
        return PlannedWorkflow(snapshot=WorkflowSnapshot(workflow=charged, jobs=new.jobs), is_short=is_short)

    def _prepared(self, template: WorkflowTemplate, ids: Ids) -> tuple[PreparedSteps, list[WorkflowStep]]:
        """Return what follows from the template, and its steps with seeds."""
        prepared = self.prepare(template)
        for index, callback in enumerate(template.callbacks):
            self.callback_hosts.check(callback.url, path=f"callbacks[{index}].url")
        return prepared, [changed(step, seed=ids.seed()) for step in prepared.steps]

    async def _new(
        self,
        prepared: PreparedSteps,
        steps: Sequence[WorkflowStep],
        caller: Caller,
        *,
        ids: Ids,
        base_url: str,
        size: int,
        attempt: int = 0,
        missing: MissingResources | None = None,
    ) -> NewWorkflow:
        """Return the workflow with what can be made at once: the jobs of all steps that wait for nothing."""
        levels = prepared.levels
        workflow = self._workflow(prepared.template, steps, levels, caller, ids=ids, base_url=base_url, attempt=attempt)
        workflow = self._with_spawned(workflow)
        ready = [index for index, step in enumerate(workflow.steps) if step.waits and not step.sources]
        makers = None if prepared.files else prepared.makers
        built = await self.build(workflow, ready, levels=levels, makers=makers, size=size, missing=missing)
        if len(built.jobs) > self.most_jobs:
            raise fault("steps", f"A workflow may make at most {self.most_jobs} jobs at once; found {len(built.jobs)}.")
        return NewWorkflow(
            workflow=made_ready(workflow, ready, built.jobs), jobs=built.jobs, new_resources=built.new_resources
        )

    def _workflow(
        self,
        template: WorkflowTemplate,
        steps: Sequence[WorkflowStep],
        levels: Sequence[NsfwLevel],
        caller: Caller,
        *,
        ids: Ids,
        base_url: str,
        attempt: int,
    ) -> Workflow:
        now = self.clock.now()
        return Workflow(
            id=self._new_id(caller.consumer, ids, at=now, attempt=attempt),
            owner=caller.consumer,
            trace_id=caller.trace_id,
            base_url=base_url,
            created_at=now,
            keep_until=now + self.lifetime,
            arguments=template.arguments,
            callbacks=template.callbacks,
            currencies=template.currencies,
            upgrade_mode=template.upgrade_mode,
            tips=template.tips,
            experimental=template.experimental,
            nsfw_level=template.nsfw_level,
            is_ephemeral=template.is_ephemeral,
            external_id=template.external_id,
            progress=None if caller.progress is None else caller.progress.document,
            asked_fault=None if caller.asked_fault is None else caller.asked_fault.document,
            tags=template.tags,
            metadata=template.metadata,
            allow_mature_content=allowed_maturity(template, levels),
            steps=tuple(steps),
        )

    def _new_id(self, consumer: str, ids: Ids, *, at: datetime, attempt: int) -> str:
        if ids.is_seeded:
            return self.workflow_ids.drawn_id(consumer, at=at, seed=ids.seed())
        return self.workflow_ids.next_id(consumer, at=at, attempt=attempt)

    def _with_spawned(self, workflow: Workflow) -> Workflow:
        """Spawn the steps of each `repeat` over an argument."""
        for index, step in enumerate(workflow.steps):
            if step.type != REPEAT or step.sources:
                continue
            try:
                spawned = self.spawn(WorkflowSnapshot(workflow=workflow, jobs=()), index)
            except StepFailedError as error:
                raise fault(input_path(index), str(error)) from error
            ready = workflow.step_made_ready(index, step.input, jobs=0, at=workflow.created_at)
            workflow = ready.with_more_steps(spawned)
        return workflow

    async def _store(self, new: NewWorkflow, *, size: int) -> WorkflowSnapshot:
        if new.new_resources:
            await self.resources.add_missing(new.new_resources)
        jobs = await self.job_faults.of_new(new.jobs, workflow=new.workflow)
        stored = await self.workflows.add(new.workflow, jobs, balances=self.get_balances())
        if stored.id != new.workflow.id:
            existing = await self.workflows.get(stored.id)
            return existing or WorkflowSnapshot(workflow=stored, jobs=())
        self.metrics.workflows_submitted += 1
        snapshot = WorkflowSnapshot(workflow=stored, jobs=jobs)
        self.recent.add(snapshot, size=size)
        publish_new_jobs(self.event_bus, jobs)
        await self._announce(snapshot)
        return snapshot

    async def _announce(self, snapshot: WorkflowSnapshot) -> None:
        """Announce that the workflow is there; if the store is away, the next scan of a scheduler does."""
        if not snapshot.workflow.callbacks:
            self.announce.quiet.add(snapshot.workflow.id)
            return
        try:
            await self.announce(snapshot)
        except TransientError as error:
            logger.warning("store away", error=error.message)


def _charged_without_limit(workflow: Workflow) -> Workflow:
    """Return a workflow with the debits that it would have; without any if no account may pay for it."""
    try:
        return charge(workflow, NO_LIMIT, Spent())
    except InsufficientBuzzError:
        return workflow
