"""Make what works on jobs in a namespace: the services of runners, and what moves jobs at the request of somebody."""

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from civitai_mock.bootstrap.providers import read_skeletons
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.ports import Clock, Ids, Provider, Stores
from civitai_mock.providers.simulator.timing import PACES
from civitai_mock.scheduler.executors.context import RunnerServices
from civitai_mock.scheduler.progress import ProgressReporter
from civitai_mock.services.blob_urls import OwnBlobLinks
from civitai_mock.services.blobs import BlobAccess
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.progress_policy import ProgressPolicy

if TYPE_CHECKING:
    from civitai_mock.scheduler.job_stepper import JobStepper
    from civitai_mock.services.archives import BlobArchives
    from civitai_mock.services.find_results import FindResults
    from civitai_mock.services.fleet.orders import FleetOrders
    from civitai_mock.services.order_jobs import OrderJobs
    from civitai_mock.services.workflows.use_cases import WorkflowUseCases


class RunnerParts(Protocol):
    """Has what a namespace works on jobs with."""

    @property
    def runtime(self) -> Runtime: ...

    @property
    def stores(self) -> Stores: ...

    @property
    def provider(self) -> Provider: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def system_clock(self) -> Clock: ...

    @property
    def ids(self) -> Ids: ...

    @property
    def event_bus(self) -> EventBus: ...

    @property
    def progress_policy(self) -> ProgressPolicy: ...

    @property
    def job_faults(self) -> JobFaults: ...

    @property
    def orders(self) -> "OrderJobs": ...

    @property
    def fleet_orders(self) -> "FleetOrders": ...

    @property
    def own_blob_links(self) -> OwnBlobLinks: ...

    @property
    def blob_access(self) -> BlobAccess: ...

    @property
    def find_results(self) -> "FindResults | None": ...

    @property
    def archives(self) -> "BlobArchives": ...

    @property
    def workflows(self) -> "WorkflowUseCases": ...


def make_runner_services(parts: RunnerParts) -> RunnerServices:
    """Make the services that all runners of one scheduler share."""
    runtime, settings = parts.runtime, parts.runtime.settings
    return RunnerServices(
        provider=parts.provider,
        artist=runtime.artist,
        jobs=parts.stores.jobs,
        blobs=parts.stores.blobs,
        skeletons=read_skeletons(),
        clock=parts.clock,
        system_clock=parts.system_clock,
        ids=parts.ids,
        pace=PACES[settings.simulation_profile],
        progress_policy=parts.progress_policy,
        job_faults=parts.job_faults,
        preempt_pod=lambda pod_id, warning: _preempt_pod(parts, pod_id, warning),
        lose_job=lambda job: parts.orders.lose(job.id),
        progress_reporter=ProgressReporter(
            clock=parts.system_clock, interval=timedelta(milliseconds=settings.progress_interval_ms)
        ),
        media_fetcher=runtime.media_fetcher,
        own_blob_links=parts.own_blob_links,
        blob_access=parts.blob_access,
        metrics=runtime.metrics,
        archives=lambda: parts.archives,
        find_results=parts.find_results,
    )


async def _preempt_pod(parts: RunnerParts, pod_id: str, warning: float) -> None:
    """Give the order to whoever moves the pods; it is loaded for who has any."""
    from civitai_mock.services.fleet.orders import FleetOrder, OrderKind

    order = FleetOrder(kind=OrderKind.PREEMPT, pod_id=pod_id, warning_seconds=warning)
    await parts.fleet_orders.give(order)


def make_job_stepper(parts: RunnerParts) -> "JobStepper":
    """Make what moves jobs at the request of somebody, in whatever process; it is loaded for the first."""
    from civitai_mock.scheduler.job_stepper import JobStepper

    return JobStepper(
        services=make_runner_services(parts),
        event_bus=parts.event_bus,
        get_advance=lambda: parts.workflows.advance,
    )
