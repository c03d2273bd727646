"""The loop that runs the jobs of a namespace."""

from datetime import timedelta

import orjson

from civitai_mock.api.formats import ClientCompat
from civitai_mock.api.v1.render import render_event
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.providers import read_skeletons
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.providers.simulator.timing import PACES
from civitai_mock.scheduler.executors.context import RunnerServices
from civitai_mock.scheduler.progress import ProgressReporter
from civitai_mock.scheduler.scheduler import Scheduler, SchedulerOptions
from civitai_mock.scheduler.webhooks import WebhookDispatcher
from civitai_mock.services.blob_urls import OwnBlobs


def make_scheduler(namespace: Namespace, *, worker_id: str | None = None) -> Scheduler:
    """Make one with a worker id of its own, unless it is given one."""
    runtime, settings = namespace.runtime, namespace.runtime.settings
    return Scheduler(
        worker_id=worker_id or f"{runtime.provider.name}-{namespace.ids.uuid().replace('-', '')[:12]}",
        jobs=runtime.stores.jobs,
        queue=runtime.stores.queue,
        search=runtime.stores.search,
        tools=make_tools(namespace),
        callbacks=_make_callbacks(namespace),
        signals=namespace.signals,
        options=SchedulerOptions(
            poll=settings.poll,
            max_in_flight=settings.scheduler_max_in_flight,
            lease=timedelta(milliseconds=settings.scheduler_lease_ms),
            grace=timedelta(milliseconds=settings.shutdown_grace_ms),
        ),
    )


def make_tools(namespace: Namespace) -> RunnerServices:
    runtime, settings = namespace.runtime, namespace.runtime.settings
    return RunnerServices(
        provider=runtime.provider,
        artist=runtime.artist,
        jobs=runtime.stores.jobs,
        blobs=runtime.stores.blobs,
        skeletons=read_skeletons(),
        clock=namespace.clock,
        ids=namespace.ids,
        pace=PACES[settings.simulation_profile],
        turns=ProgressReporter(clock=namespace.clock, interval=timedelta(milliseconds=settings.progress_interval_ms)),
        pictures=runtime.pictures,
        blob_urls=namespace.blob_urls,
        own_blobs=OwnBlobs(blobs=runtime.stores.blobs),
    )


def _make_callbacks(namespace: Namespace) -> WebhookDispatcher:
    vocabularies = namespace.runtime.settings.vocabularies

    def render(job: Job, event: JobEvent) -> bytes:
        """Word it as the request of its job asked for, or else as the server is set."""
        return orjson.dumps(render_event(event, vocabularies.of(ClientCompat.stored(job.client_compat))))

    return WebhookDispatcher(
        jobs=namespace.runtime.stores.jobs,
        webhooks=namespace.runtime.stores.webhooks,
        messenger=namespace.messenger,
        render=render,
        max_attempts=namespace.runtime.settings.callback_max_attempts,
        signals=namespace.signals,
        clock=namespace.clock,
        ids=namespace.ids,
    )
