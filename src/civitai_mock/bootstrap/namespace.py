"""Holds what one isolated world has for itself, such as clock, ids, event bus and use cases."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from civitai_mock.api.exchange import UseCases
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.network.webhook_sender import WebhookSender
from civitai_mock.ports import Clock, Ids, Provider, Stores
from civitai_mock.services.backlog import ReadBacklog
from civitai_mock.services.balances import GetBalances
from civitai_mock.services.blob_drawing import BlobDrawing
from civitai_mock.services.blob_previews import BlobPreviews
from civitai_mock.services.blob_tokens import BlobTokens
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blob_views import ViewBlobs
from civitai_mock.services.blobs import BlobAccess, BlobUrls
from civitai_mock.services.build_jobs import BuildJobs
from civitai_mock.services.controls import Controls
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.held_answers import HeldAnswers
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.journal.recording import NamespaceJournal
from civitai_mock.services.namespace_clock import ControlClock, EditClock, ObeyedClock
from civitai_mock.services.namespace_events import TellNamespaceEvents
from civitai_mock.services.namespaces import ManageNamespaces
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.queue_limit import QueueLimit
from civitai_mock.services.submit_checks import ImageUrls
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
    make_use_cases: "Callable[[Namespace], UseCases]"
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
        runtime, settings = self.runtime, self.runtime.settings
        image_hosts = runtime.media_fetcher.client.hosts if self.provider.reads_files else None
        return BuildJobs(
            resources=self.stores.resources,
            clock=self.clock,
            ids=self.ids,
            callback_hosts=self.webhook_sender.client.hosts,
            image_urls=ImageUrls(own_links=self.own_blob_links, hosts=image_hosts),
            missing_resources=settings.missing_resources,
            job_lifetime=timedelta(hours=settings.job_lifetime_hours),
            claim_timeout=timedelta(seconds=settings.job_timeout_s),
            finds_results=settings.result_cache is ResultCache.ON,
        )

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
        made = self.make_use_cases(self)
        self.waits.add(made.wait.stop)
        return made
