"""Make the scheduler of a namespace, and all that it works with."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from civitai_mock.bootstrap.event_renderer import make_event_renderer
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.runners import make_runner_services
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.scheduler.deliveries import DeliveryServices
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.scheduler.led_scheduler import Lead, LedScheduler
from civitai_mock.scheduler.scheduler import Scheduler, SchedulerOptions
from civitai_mock.scheduler.webhooks import WebhookDispatcher
from civitai_mock.scheduler.workflow_callbacks import WorkflowCallbackDispatcher
from civitai_mock.scheduler.workflows import WorkflowAdvancer

if TYPE_CHECKING:
    from civitai_mock.domain.workflow import WorkflowSnapshot
    from civitai_mock.domain.workflow_search import Announcement
    from civitai_mock.scheduler.fleet.controller import FleetController


def make_worker_id(runtime: Runtime) -> str:
    """Draw a worker id, so that any number of schedulers can work on one store; those of one process may share it."""
    return f"{runtime.provider.name}-{runtime.ids.uuid().replace('-', '')[:12]}"


def make_scheduler(
    namespace: Namespace, *, worker_id: str | None = None, claimed_at: datetime | None = None
) -> Scheduler:
    """Make a scheduler; without a worker id it draws one.

    `claimed_at` is the last claim that another one made under this id in the namespace.
    """
    runtime, settings = namespace.runtime, namespace.runtime.settings
    deliveries = DeliveryServices(
        stores=namespace.stores,
        sender=namespace.webhook_sender,
        max_attempts=settings.callback_max_attempts,
        event_bus=namespace.event_bus,
        clock=namespace.clock,
        system_clock=namespace.system_clock,
        ids=namespace.ids,
        metrics=runtime.metrics,
        faults=namespace.faults,
        get_subjects=lambda: namespace.job_subjects,
    )
    scheduler = Scheduler(
        worker_id=worker_id or make_worker_id(runtime),
        stores=namespace.stores,
        services=make_runner_services(namespace),
        dispatchers=[_make_webhooks(namespace, deliveries), _make_workflow_callbacks(namespace, deliveries)],
        workflows=WorkflowAdvancer(
            jobs=namespace.stores.jobs,
            get_advance=lambda: namespace.workflows.advance,
            event_bus=namespace.event_bus,
            clock=namespace.system_clock,
        ),
        event_bus=namespace.event_bus,
        event_feed=namespace.event_feed,
        options=SchedulerOptions(
            poll=settings.poll,
            max_in_flight=settings.most_jobs_in_flight,
            lease=timedelta(milliseconds=settings.scheduler_lease_ms),
            grace=timedelta(milliseconds=settings.shutdown_grace_ms),
            fleet_policy=namespace.fleet_policy,
            make_fleet=lambda in_flight: _make_fleet(namespace, in_flight),
        ),
    )
    scheduler.claimed_at = claimed_at
    return scheduler


def _make_fleet(namespace: Namespace, in_flight: InFlight) -> "FleetController":
    """Make what moves the pods of a namespace; it is loaded for the first that has a fleet."""
    from civitai_mock.scheduler.fleet.controller import FleetController, FleetServices

    services = FleetServices(
        store=namespace.stores.fleet,
        jobs=namespace.stores.jobs,
        queue=namespace.stores.queue,
        clock=namespace.clock,
        event_bus=namespace.event_bus,
        events=namespace.namespace_events,
        orders=namespace.fleet_orders,
        seed=namespace.ids.of_job("fleet", "dice").uuid(),
        get_workers=lambda: namespace.provider.workers,
    )
    return FleetController(services, in_flight=in_flight)


def make_led_scheduler(namespace: Namespace, *, process_id: str, claimed_at: datetime | None) -> LedScheduler:
    """Make what runs the jobs of a namespace in a process, under its id, whenever that is for it to do."""
    if namespace.obeyed_clock is None:
        raise ValueError("the clock of the namespace cannot be set")
    scheduler = LedScheduler(
        make=lambda claimed_at: make_scheduler(namespace, worker_id=process_id, claimed_at=claimed_at),
        claimed_at=claimed_at,
        lead=Lead(
            name=f"lead/{namespace.epoch.number}",
            holder=process_id,
            store=namespace.stores.namespaces,
            clock=namespace.system_clock,
        ),
        obeyed=namespace.obeyed_clock,
        edit_clock=namespace.edit_clock,
        jobs=namespace.stores.jobs,
        has_fleet=lambda: namespace.fleet_policy.is_on,
    )
    namespace.controls.subscribe(scheduler.notice_fleet)
    return scheduler


def _make_webhooks(namespace: Namespace, services: DeliveryServices) -> WebhookDispatcher:
    render = make_event_renderer(
        namespace.runtime.settings.vocabularies,
        get_worker_id=lambda: namespace.worker_name,
        fleet_policy=namespace.fleet_policy,
    )
    return WebhookDispatcher(services, render=render)


def _make_workflow_callbacks(namespace: Namespace, services: DeliveryServices) -> WorkflowCallbackDispatcher:
    def render(snapshot: "WorkflowSnapshot", announcement: "Announcement") -> JsonObject | None:
        """Load what renders them for the first one."""
        from civitai_mock.api.v2.callback_bodies import CallbackRenderer

        return CallbackRenderer(step_types=namespace.workflows.step_types).body(snapshot, announcement)

    return WorkflowCallbackDispatcher(services, render=render)
