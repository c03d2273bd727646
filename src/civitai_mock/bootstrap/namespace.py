"""Make a namespace: what one isolated world has for itself, such as clock, ids, event bus and use cases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from civitai_mock.api.exchange import UseCases
from civitai_mock.api.rate_limit import RateLimit
from civitai_mock.bootstrap.blob_links import make_blob_links
from civitai_mock.bootstrap.metrics import make_scrape
from civitai_mock.bootstrap.providers import provider_in_world
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.clock import NamespaceClock
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.network.webhook_sender import WebhookSender
from civitai_mock.ports import Clock, Ids, Provider, Stores
from civitai_mock.services.availability import GetCoverage, GetJobSupport
from civitai_mock.services.backlog import ReadBacklog
from civitai_mock.services.balances import GetBalances
from civitai_mock.services.blob_drawing import BlobDrawing
from civitai_mock.services.blob_previews import BlobPreviews
from civitai_mock.services.blob_tokens import BlobTokens
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blob_views import ViewBlobs
from civitai_mock.services.blobs import BlobAccess, BlobUrls
from civitai_mock.services.build_jobs import BuildJobs
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import GetConsumption
from civitai_mock.services.controls import Controls
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.held_answers import HeldAnswers
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.faults.outages import WorkforceWithOutages
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.health import CheckReadiness, GetHealth, StallDetector
from civitai_mock.services.host_policy import callback_policy
from civitai_mock.services.journal.recording import NamespaceJournal
from civitai_mock.services.namespace_clock import ControlClock, EditClock, ObeyedClock
from civitai_mock.services.namespace_events import TellNamespaceEvents
from civitai_mock.services.namespace_ids import NamespaceIds
from civitai_mock.services.namespaces import ManageNamespaces
from civitai_mock.services.polls import PollJobs
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.query import ListRequests, QueryJobs, SearchJobs
from civitai_mock.services.queue_limit import QueueLimit
from civitai_mock.services.queue_position import GetQueuePositions
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.running_progress import GetRunningProgress
from civitai_mock.services.submit import SubmitJobs
from civitai_mock.services.submit_checks import ImageUrls
from civitai_mock.services.taint import TaintJobs
from civitai_mock.services.wait import WaitForJobs
from civitai_mock.services.waits import Waits
from civitai_mock.settings import ResultCache

if TYPE_CHECKING:
    from civitai_mock.scheduler.job_stepper import JobStepper
    from civitai_mock.services.archives import BlobArchives
    from civitai_mock.services.event_stream.streams import EventStreams
    from civitai_mock.services.faults.blobs import BlobFaults
    from civitai_mock.services.faults.decide_for_jobs import DecideJobFaults
    from civitai_mock.services.faults.subjects import JobSubjects
    from civitai_mock.services.find_results import FindResults
    from civitai_mock.services.fleet.orders import FleetOrders
    from civitai_mock.services.fleet.status import FleetStatus
    from civitai_mock.services.fleet.use_cases import FleetUseCases
    from civitai_mock.services.journal.sharing import AskJournals
    from civitai_mock.services.looking_in import LookingIn
    from civitai_mock.services.order_jobs import OrderJobs
    from civitai_mock.services.uploads import UploadBlobs
    from civitai_mock.services.workflows.use_cases import WorkflowUseCases


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """Holds what the API and the scheduler of one namespace share; by the event bus each learns what the other did.

    It lasts for one `epoch`, on `stores` that know nothing of any other. `runs_jobs` says whether this process has a
    scheduler for it, and `scheduler_fault` why that takes no jobs. If not, its health says whether any process has one.
    The clock can be set if it is an `obeyed_clock`, and there is what can `manage` it in all processes.
    """

    epoch: Epoch
    runtime: Runtime
    stores: Stores
    provider: Provider
    clock: Clock
    ids: Ids
    event_bus: EventBus
    event_feed: FollowEvents
    controls: Controls
    journal: NamespaceJournal
    manage: ManageNamespaces | None
    obeyed_clock: ObeyedClock | None
    own_blob_links: OwnBlobLinks
    webhook_sender: WebhookSender
    progress_policy: ProgressPolicy
    fleet_policy: FleetPolicy
    faults: Faults
    held_answers: HeldAnswers
    waits: Waits
    runs_jobs: bool
    scheduler_fault: Callable[[], str | None]
    get_ask_journals: "Callable[[], AskJournals] | None" = None

    @property
    def name(self) -> str:
        return self.epoch.namespace

    @property
    def worker_name(self) -> str | None:
        """Return one name for the workers of all processes, if the namespace has a seed; a fleet's have their own."""
        if not self.ids.is_seeded or self.fleet_policy.is_on:
            return None
        return f"{self.provider.name}-{self.ids.of_job('any', 'worker').uuid().replace('-', '')[:12]}"

    @cached_property
    def blob_drawing(self) -> BlobDrawing:
        return BlobDrawing(blobs=self.stores.blobs, jobs=self.stores.jobs, artist=self.runtime.artist)

    @cached_property
    def blob_previews(self) -> BlobPreviews:
        return BlobPreviews(blobs=self.stores.blobs, drawing=self.blob_drawing, artist=self.runtime.artist)

    @cached_property
    def blob_access(self) -> BlobAccess:
        return BlobAccess(
            blobs=self.stores.blobs,
            drawing=self.blob_drawing,
            previews=self.blob_previews,
            chooser=self.faults,
            get_faults=lambda: self.blob_faults,
        )

    @cached_property
    def blob_faults(self) -> "BlobFaults":
        """Load and make them at first use, as the subjects."""
        from civitai_mock.services.faults.blobs import BlobFaults

        return BlobFaults(
            chooser=self.faults,
            subjects=self.job_subjects,
            blobs=self.stores.blobs,
            jobs=self.stores.jobs,
            workflows=self.stores.workflows,
            drawing=self.blob_drawing,
            artist=self.runtime.artist,
            clock=self.clock,
        )

    @property
    def system_clock(self) -> Clock:
        """Return the clock of leases, limits and polls, which nobody moves."""
        return self.runtime.clock

    @cached_property
    def read_backlog(self) -> ReadBacklog:
        return ReadBacklog(queue=self.stores.queue)

    @property
    def blob_urls(self) -> BlobUrls:
        return self.own_blob_links.blob_urls

    @property
    def workflow_blob_urls(self) -> WorkflowBlobUrls:
        return self.own_blob_links.workflow_blob_urls

    @cached_property
    def build_jobs(self) -> BuildJobs:
        return _make_build(self)

    @cached_property
    def queue_limit(self) -> QueueLimit:
        """Count the jobs of v1 and v2 together."""
        return QueueLimit(read_backlog=self.read_backlog, most=self.runtime.settings.max_queued_jobs)

    @cached_property
    def get_balances(self) -> GetBalances:
        settings = self.runtime.settings
        return GetBalances(
            controls=self.controls, usual=lambda: settings.balances, usual_for_jobs=settings.balance_of_jobs
        )

    @cached_property
    def blob_tokens(self) -> BlobTokens:
        return BlobTokens(key=self.runtime.blob_key, clock=self.clock, namespace=self.name)

    @cached_property
    def view_blobs(self) -> ViewBlobs:
        return ViewBlobs(access=self.blob_access, tokens=self.blob_tokens, workflows=self.stores.workflows)

    @cached_property
    def archives(self) -> "BlobArchives":
        """Load and make them at first use, as the workflows."""
        from civitai_mock.services.archives import BlobArchives

        return BlobArchives(
            blobs=self.stores.blobs,
            views=self.view_blobs,
            tokens=self.blob_tokens,
            clock=self.clock,
            ids=self.ids,
        )

    @cached_property
    def upload_blobs(self) -> "UploadBlobs":
        """Load and make it at first use, as the workflows."""
        from civitai_mock.services.uploads import UploadBlobs

        return UploadBlobs(
            blobs=self.stores.blobs,
            inspector=self.runtime.inspector,
            tokens=self.blob_tokens,
            clock=self.clock,
            ids=self.ids,
            lifetime=timedelta(days=self.runtime.settings.workflow_lifetime_days),
        )

    @cached_property
    def find_results(self) -> "FindResults | None":
        """Load and make it if results are kept, which mostly they are not."""
        if self.runtime.settings.result_cache is ResultCache.OFF:
            return None
        from civitai_mock.services.find_results import FindResults

        return FindResults(
            epoch=self.epoch,
            namespaces=self.stores.namespaces,
            jobs=self.stores.jobs,
            blob_access=self.blob_access,
            event_bus=self.event_bus,
            clock=self.clock,
            system_clock=self.system_clock,
        )

    @cached_property
    def workflows(self) -> "WorkflowUseCases":
        """Load and make them at first use: who has no workflow needs none."""
        from civitai_mock.bootstrap.workflows import NamespaceParts, make_workflow_use_cases

        made = make_workflow_use_cases(
            NamespaceParts(
                runtime=self.runtime,
                stores=self.stores,
                clock=self.clock,
                ids=self.ids,
                event_bus=self.event_bus,
                event_feed=self.event_feed,
                build_jobs=self.build_jobs,
                queue_limit=self.queue_limit,
                job_faults=self.job_faults,
                upload_blobs=self.upload_blobs,
                blob_urls=self.workflow_blob_urls,
                callback_hosts=self.webhook_sender.client.hosts,
                get_balances=self.get_balances,
            )
        )
        self.waits.add(made.wait.stop)
        return made

    @cached_property
    def job_subjects(self) -> "JobSubjects":
        """Load and make them at first use: mostly nothing goes wrong on purpose."""
        from civitai_mock.bootstrap.faults import make_job_subjects

        return make_job_subjects(self.stores)

    @cached_property
    def job_faults(self) -> JobFaults:
        return JobFaults(faults=self.faults, make=self._make_job_decisions)

    def _make_job_decisions(self) -> "DecideJobFaults":
        """Load and make it at first use, as the subjects."""
        from civitai_mock.bootstrap.faults import make_job_decisions

        return make_job_decisions(
            self.runtime,
            self.stores,
            epoch=self.epoch,
            faults=self.faults,
            subjects=self.job_subjects,
            controls=self.controls,
            clock=self.clock,
        )

    async def aclose(self) -> None:
        """Break off what is being drawn, which is drawn anew when it is asked for again."""
        self.event_feed.remove(self.epoch.initial_number)
        await self.blob_previews.aclose()
        await self.blob_drawing.aclose()

    @cached_property
    def job_stepper(self) -> "JobStepper":
        """Load and make it at first use: mostly jobs are moved by schedulers alone."""
        from civitai_mock.bootstrap.runners import make_job_stepper

        made = make_job_stepper(self)
        self.waits.add(made.stop)
        return made

    @cached_property
    def orders(self) -> "OrderJobs":
        """Load and make it at first use, as the stepper."""
        from civitai_mock.services.order_jobs import OrderJobs

        return OrderJobs(
            jobs=self.stores.jobs,
            queue=self.stores.queue,
            workflows=self.stores.workflows,
            event_bus=self.event_bus,
            submit=self.use_cases.submit,
            get_submit_workflow=lambda: self.workflows.submit,
            get_orders=lambda: self.job_stepper,
        )

    @cached_property
    def looking_in(self) -> "LookingIn":
        """Load and make it at first use: most processes are never looked into."""
        from civitai_mock.bootstrap.looking_in import make_looking_in

        if self.get_ask_journals is None:
            raise RuntimeError("nobody knows who else has a journal of this namespace")
        made = make_looking_in(
            self.stores,
            self.use_cases,
            self.runtime.settings,
            self.controls,
            self.progress_policy,
            self.get_ask_journals(),
        )
        self.waits.add(made.verify.stop)
        return made

    @cached_property
    def namespace_events(self) -> TellNamespaceEvents:
        return TellNamespaceEvents(
            events=self.stores.namespace_events,
            follow=self.event_feed.namespace_events,
            clock=self.clock,
            lifetime=timedelta(hours=self.runtime.settings.job_lifetime_hours),
        )

    @cached_property
    def fleet(self) -> "FleetUseCases":
        """Load and make them at first use: mostly there is no fleet."""
        from civitai_mock.services.fleet.use_cases import FleetUseCases

        return FleetUseCases(
            policy=self.fleet_policy, store=self.stores.fleet, orders=self.fleet_orders, clock=self.clock
        )

    async def look_at_fleet(self) -> "FleetStatus":
        return await self.fleet.status()

    @cached_property
    def fleet_orders(self) -> "FleetOrders":
        """Load and make them at first use: mostly there is no fleet."""
        from civitai_mock.services.fleet.orders import FleetOrders

        return FleetOrders(
            store=self.runtime.stores.namespaces,
            epoch=self.epoch,
            clock=self.system_clock,
            wake=self.event_bus.publish_work,
        )

    @property
    def edit_clock(self) -> EditClock:
        if self.manage is None:
            raise RuntimeError("nobody manages this namespace")
        return EditClock(name=self.name, manage=self.manage)

    @cached_property
    def control_clock(self) -> ControlClock:
        if self.obeyed_clock is None:
            raise RuntimeError("the clock of this namespace is not its own")
        made = ControlClock(
            epoch=self.epoch,
            edit=self.edit_clock,
            obeyed=self.obeyed_clock,
            system_clock=self.system_clock,
            ids=self.runtime.ids,
            metrics=self.runtime.metrics,
        )
        self.waits.add(made.stop)
        return made

    @cached_property
    def event_streams(self) -> "EventStreams":
        """Load and make them at first use: mostly nobody listens."""
        from civitai_mock.bootstrap.event_streams import make_event_streams

        made = make_event_streams(self)
        self.waits.add(made.stop)
        return made

    @cached_property
    def use_cases(self) -> UseCases:
        """Make them at first use: a process that only runs jobs needs none."""
        made = _make_use_cases(self)
        self.waits.add(made.wait.stop)
        return made


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


def _make_build(namespace: Namespace) -> BuildJobs:
    runtime, settings = namespace.runtime, namespace.runtime.settings
    image_hosts = runtime.media_fetcher.client.hosts if namespace.provider.reads_files else None
    return BuildJobs(
        resources=namespace.stores.resources,
        clock=namespace.clock,
        ids=namespace.ids,
        callback_hosts=namespace.webhook_sender.client.hosts,
        image_urls=ImageUrls(own_links=namespace.own_blob_links, hosts=image_hosts),
        missing_resources=settings.missing_resources,
        job_lifetime=timedelta(hours=settings.job_lifetime_hours),
        claim_timeout=timedelta(seconds=settings.job_timeout_s),
        finds_results=settings.result_cache is ResultCache.ON,
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
