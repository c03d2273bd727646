"""Make a namespace of what the process has, and the use cases of its API."""

from collections.abc import Callable
from datetime import timedelta

from civitai_mock.api.exchange import UseCases
from civitai_mock.api.rate_limit import RateLimit
from civitai_mock.bootstrap.blob_links import make_blob_links
from civitai_mock.bootstrap.metrics import make_scrape
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.providers import provider_in_world
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.clock import NamespaceClock
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.network.webhook_sender import WebhookSender
from civitai_mock.ports import Clock, Ids
from civitai_mock.services.availability import GetCoverage, GetJobSupport
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import GetConsumption
from civitai_mock.services.controls import Controls
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.held_answers import HeldAnswers
from civitai_mock.services.faults.outages import WorkforceWithOutages
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.health import CheckReadiness, GetHealth, StallDetector
from civitai_mock.services.host_policy import callback_policy
from civitai_mock.services.namespace_clock import ObeyedClock
from civitai_mock.services.namespace_ids import NamespaceIds
from civitai_mock.services.polls import PollJobs
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.query import ListRequests, QueryJobs, SearchJobs
from civitai_mock.services.queue_position import GetQueuePositions
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.running_progress import GetRunningProgress
from civitai_mock.services.submit import SubmitJobs
from civitai_mock.services.taint import TaintJobs
from civitai_mock.services.wait import WaitForJobs
from civitai_mock.services.waits import Waits


def make_namespace(
    runtime: Runtime,
    *,
    epoch: Epoch | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    event_feed: FollowEvents | None = None,
    controls: Controls | None = None,
    runs_jobs: bool = True,
    scheduler_fault: Callable[[], str | None] = lambda: None,
) -> Namespace:
    """Make the namespace of an epoch, or else one on the very stores of the runtime.

    It draws from the ids of the process, has its feed, and a clock that goes as its one does, unless it is given its
    own; nothing is set for it without `controls`.
    """
    stores = runtime.stores if epoch is None else runtime.stores.in_epoch(epoch)
    settings, epoch = runtime.settings, epoch or Epoch()
    event_bus, event_feed, controls = EventBus(), event_feed or runtime.event_feed, controls or Controls()
    controls.subscribe(event_bus.publish_work)  # as there may be jobs that could not be claimed before
    own_clock = NamespaceClock(system_clock=runtime.clock, activity=event_bus.activity)
    obeyed_clock = ObeyedClock(own_clock, controls) if clock is None else None
    clock = clock or own_clock
    event_bus.subscribe_to_changes(runtime.metrics.count_changes)
    event_feed.add(epoch.number, event_bus)
    held_answers, waits = HeldAnswers(runtime.clock), Waits()
    waits.add(held_answers.stop)
    ids = ids or _make_ids(runtime, epoch, controls)
    return Namespace(
        epoch=epoch,
        runtime=runtime,
        stores=stores,
        provider=provider_in_world(runtime.provider, clock=clock, ids=ids),
        clock=clock,
        ids=ids,
        event_bus=event_bus,
        event_feed=event_feed,
        own_blob_links=make_blob_links(runtime, epoch.namespace, clock=clock),
        webhook_sender=WebhookSender(
            client=runtime.network.guarded_by(callback_policy(settings.callback_patterns)),
            timeout=timedelta(seconds=settings.callback_timeout_s),
        ),
        controls=controls,
        journal=runtime.journal.of(epoch.namespace, epoch.number),
        manage=None,
        obeyed_clock=obeyed_clock,
        progress_policy=ProgressPolicy(controls, is_simulated=not settings.comfy_servers),
        fleet_policy=FleetPolicy(controls, usual=runtime.usual_fleet),
        faults=Faults(
            controls=controls,
            server_rules=runtime.server_rules,
            store=runtime.stores.namespaces,
            epoch=epoch,
            clock=clock,
            system_clock=runtime.clock,
            ids=ids,
            metrics=runtime.metrics,
        ),
        held_answers=held_answers,
        waits=waits,
        runs_jobs=runs_jobs,
        scheduler_fault=scheduler_fault,
        make_use_cases=_make_use_cases,
    )


def _make_ids(runtime: Runtime, epoch: Epoch, controls: Controls) -> NamespaceIds:
    return NamespaceIds(random=runtime.ids, controls=controls, epoch=epoch, count=runtime.stores.namespaces.count)


def _make_use_cases(namespace: Namespace) -> UseCases:
    runtime, clock, event_bus = namespace.runtime, namespace.clock, namespace.event_bus
    settings, stores = runtime.settings, namespace.stores
    provider = WorkforceWithOutages(workforce=namespace.provider, faults=namespace.faults)
    stall_detector = None if namespace.runs_jobs else _make_stall_detector(namespace)
    query = QueryJobs(jobs=stores.jobs, namespace=namespace.name)
    health = GetHealth(
        store=stores.health,
        provider=provider,
        stall_detector=stall_detector,
        fleet_policy=namespace.fleet_policy,
        get_fleet=lambda: namespace.fleet,
    )
    return UseCases(
        submit=_make_submit(namespace),
        query=query,
        search=SearchJobs(search=stores.search),
        cancel=CancelJobs(jobs=stores.jobs, query=query, event_bus=event_bus, clock=clock),
        wait=_make_wait(namespace),
        polls=PollJobs(
            jobs=stores.jobs,
            policy=namespace.progress_policy,
            get_mover=lambda: namespace.job_stepper,
            event_bus=event_bus,
        ),
        get_orders=lambda: namespace.orders,
        queue_positions=GetQueuePositions(queue=stores.queue, clock=clock, system_clock=namespace.system_clock),
        support=GetJobSupport(provider=provider),
        running_progress=GetRunningProgress(provider=namespace.provider),
        taint=TaintJobs(jobs=stores.jobs, query=query, search=stores.search),
        requests=ListRequests(search=stores.search),
        coverage=GetCoverage(
            resources=stores.resources,
            provider=provider,
            fleet_policy=namespace.fleet_policy,
            look_at_fleet=namespace.look_at_fleet,
        ),
        consumption=GetConsumption(search=stores.search),
        resources=ManageResources(resources=stores.resources),
        blob_urls=namespace.blob_urls,
        workflow_blob_urls=namespace.workflow_blob_urls,
        blob_tokens=namespace.blob_tokens,
        view_blobs=namespace.view_blobs,
        get_archives=lambda: namespace.archives,
        get_looking_in=lambda: namespace.looking_in,
        get_control_clock=lambda: namespace.control_clock,
        get_event_streams=lambda: namespace.event_streams,
        namespace_events=namespace.namespace_events,
        get_fleet=lambda: namespace.fleet,
        get_upload_blobs=lambda: namespace.upload_blobs,
        get_workflows=lambda: namespace.workflows,
        blob_access=namespace.blob_access,
        scrape=make_scrape(runtime, namespace.read_backlog, clock=clock, runs_jobs=namespace.runs_jobs),
        health=health,
        readiness=CheckReadiness(health=health, scheduler_fault=namespace.scheduler_fault),
        clock=clock,
        provider_name=provider.name,
        rate_limit=RateLimit(settings.rate_limit, clock=clock) if settings.rate_limit else None,
    )


def _make_stall_detector(namespace: Namespace) -> StallDetector:
    return StallDetector(
        queue=namespace.stores.queue,
        policy=namespace.progress_policy,
        fleet_policy=namespace.fleet_policy,
        clock=namespace.clock,
        system_clock=namespace.system_clock,
        poll=namespace.runtime.settings.poll,
    )


def _make_submit(namespace: Namespace) -> SubmitJobs:
    return SubmitJobs(
        jobs=namespace.stores.jobs,
        resources=namespace.stores.resources,
        event_bus=namespace.event_bus,
        build=namespace.build_jobs,
        queue_limit=namespace.queue_limit,
        job_faults=namespace.job_faults,
        get_balance=namespace.get_balances.for_jobs,
    )


def _make_wait(namespace: Namespace) -> WaitForJobs:
    runtime = namespace.runtime
    limit = timedelta(seconds=runtime.settings.wait_limit_s)
    wait = WaitForJobs(
        search=namespace.stores.search,
        event_feed=namespace.event_feed,
        clock=namespace.system_clock,
        limit=limit,
        most=runtime.settings.max_waiting_requests,
    )
    namespace.event_bus.subscribe_to_changes(wait.on_changes)
    namespace.event_bus.subscribe_to_changes_elsewhere(wait.on_changes_elsewhere)
    return wait
