"""Make the use cases of workflows; they are only loaded once there is a workflow."""

from dataclasses import replace
from datetime import timedelta

from civitai_mock.api.v2.steps import RegisteredStepTypes
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.ports import Clock, Ids, Stores
from civitai_mock.services.balances import GetBalances
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from civitai_mock.services.build_jobs import BuildJobs
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.queue_limit import QueueLimit
from civitai_mock.services.uploads import UploadBlobs
from civitai_mock.services.workflows.advance import AdvanceWorkflows
from civitai_mock.services.workflows.announce import AnnounceStatuses
from civitai_mock.services.workflows.change import ChangeWorkflows
from civitai_mock.services.workflows.data_urls import StoreDataUrls
from civitai_mock.services.workflows.late_inputs import ResolveInputs
from civitai_mock.services.workflows.next_steps import FindNextSteps
from civitai_mock.services.workflows.prepared import PrepareSteps
from civitai_mock.services.workflows.query import ListWorkflows, QueryWorkflows
from civitai_mock.services.workflows.recent import RecentWorkflows
from civitai_mock.services.workflows.repeat import SpawnSteps
from civitai_mock.services.workflows.step_jobs import BuildStepJobs
from civitai_mock.services.workflows.submit import SubmitWorkflow
from civitai_mock.services.workflows.use_cases import WorkflowUseCases
from civitai_mock.services.workflows.wait import WaitForWorkflows


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceParts:
    """Holds what workflows share with the other use cases of their namespace."""

    runtime: Runtime
    stores: Stores
    clock: Clock
    ids: Ids
    event_bus: EventBus
    event_feed: FollowEvents
    build_jobs: BuildJobs
    queue_limit: QueueLimit
    job_faults: JobFaults
    upload_blobs: UploadBlobs
    blob_urls: WorkflowBlobUrls
    callback_hosts: HostPolicy
    get_balances: GetBalances


def make_workflow_use_cases(parts: NamespaceParts) -> WorkflowUseCases:
    clock, settings, workflows = parts.clock, parts.runtime.settings, parts.stores.workflows
    step_types = RegisteredStepTypes(blob_urls=parts.blob_urls)
    build_jobs = replace(parts.build_jobs, missing_resources=settings.workflow_missing_resources)
    build = BuildStepJobs(step_types=step_types, build=build_jobs, clock=clock, lifetime=_lifetime(parts))
    resolve = ResolveInputs(step_types=step_types)
    spawn = SpawnSteps(step_types=step_types, resolve=resolve, ids=parts.ids)
    announce = AnnounceStatuses(outbox=parts.stores.announcements, event_bus=parts.event_bus, clock=clock)
    query = QueryWorkflows(workflows=workflows)
    next_steps = FindNextSteps(
        workflows=workflows, build=build, resolve=resolve, spawn=spawn, clock=clock, get_balances=parts.get_balances
    )
    recent = RecentWorkflows()
    parts.event_bus.subscribe_to_changes(recent.on_changes)
    advance = _make_advance(parts, build, next_steps, announce, recent)
    return WorkflowUseCases(
        submit=_make_submit(parts, build, spawn, announce, recent),
        query=query,
        list=ListWorkflows(workflows=workflows),
        wait=_make_wait(parts, query),
        change=ChangeWorkflows(
            workflows=workflows,
            query=query,
            advance=advance,
            step_types=step_types,
            event_bus=parts.event_bus,
            clock=clock,
            get_balances=parts.get_balances,
        ),
        advance=advance,
        step_types=step_types,
    )


def _lifetime(parts: NamespaceParts) -> timedelta:
    return timedelta(days=parts.runtime.settings.workflow_lifetime_days)


def _make_submit(
    parts: NamespaceParts,
    build: BuildStepJobs,
    spawn: SpawnSteps,
    announce: AnnounceStatuses,
    recent: RecentWorkflows,
) -> SubmitWorkflow:
    settings, stores = parts.runtime.settings, parts.stores
    return SubmitWorkflow(
        workflows=stores.workflows,
        resources=stores.resources,
        prepare=PrepareSteps(step_types=build.step_types, build=build),
        build=build,
        spawn=spawn,
        store_data_urls=StoreDataUrls(upload_blobs=parts.upload_blobs, blob_urls=parts.blob_urls),
        callback_hosts=parts.callback_hosts,
        announce=announce,
        recent=recent,
        event_bus=parts.event_bus,
        queue_limit=parts.queue_limit,
        job_faults=parts.job_faults,
        clock=parts.clock,
        ids=parts.ids,
        metrics=parts.runtime.metrics,
        get_balances=parts.get_balances,
        lifetime=_lifetime(parts),
        most_jobs=settings.max_jobs_per_request,
    )


def _make_advance(
    parts: NamespaceParts,
    build: BuildStepJobs,
    next_steps: FindNextSteps,
    announce: AnnounceStatuses,
    recent: RecentWorkflows,
) -> AdvanceWorkflows:
    stores = parts.stores
    return AdvanceWorkflows(
        workflows=stores.workflows,
        jobs=stores.jobs,
        resources=stores.resources,
        build=build,
        next_steps=next_steps,
        announce=announce,
        recent=recent,
        event_bus=parts.event_bus,
        clock=parts.clock,
        metrics=parts.runtime.metrics,
        get_balances=parts.get_balances,
        lifetime=_lifetime(parts),
    )


def _make_wait(parts: NamespaceParts, query: QueryWorkflows) -> WaitForWorkflows:
    settings = parts.runtime.settings
    wait = WaitForWorkflows(
        query=query,
        event_feed=parts.event_feed,
        clock=parts.runtime.clock,
        limit=timedelta(seconds=settings.workflow_wait_limit_s),
        most=settings.max_waiting_requests,
    )
    parts.event_bus.subscribe_to_changes(wait.on_changes)
    parts.event_bus.subscribe_to_changes_elsewhere(wait.on_changes_elsewhere)
    parts.event_bus.subscribe_to_workflows(wait.on_workflows)
    return wait
