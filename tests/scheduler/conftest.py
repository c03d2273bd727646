"""A scheduler on SQLite in memory, with a clock that tests move and a provider that follows their script."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.bootstrap.runners import make_runner_services
from civitai_mock.bootstrap.runtime import Runtime, open_runtime
from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Ids, Provider, Stores
from civitai_mock.scheduler.executors.context import RunnerServices
from civitai_mock.scheduler.scheduler import Scheduler
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.consumers import EVERYBODY, Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from tests.support.event_loop import settle
from tests.support.jobs import CHECKPOINT, TRACE_ID, collect, make_job
from tests.support.receiver import Receiver
from tests.support.scripted_provider import PlainArtist, ScriptedProvider
from tests.support.served_app import make_settings

POLL_SECONDS = 2.0
LEASE_SECONDS = 15.0
SCANS = 5
PROGRESS_SECONDS = 2.0
CALLBACK_TIMEOUT = timedelta(seconds=60)  # of real time: a busy machine may take long to answer
MAX_ATTEMPTS = 3
IMAGE_LIMIT = 1_000_000  # of bytes, and of pixels
TEMPLATE: JsonObject = {"model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": {"prompt": "a fox"}}
REQUEST: JsonObject = {
    "model": CHECKPOINT,
    "params": {
        "prompt": "a fox",
        "scheduler": "EulerA",
        "steps": 20,
        "cfgScale": 7,
        "width": 512,
        "height": 512,
        "seed": 5,
        "clipSkip": 1,
    },
    "additionalNetworks": {},
    "quantity": 1,
}


SETTINGS = make_settings(
    seed_resources=False,
    missing_resources="lenient",
    simulation_profile="realistic",
    scheduler_poll_ms=POLL_SECONDS * 1000,
    scheduler_lease_ms=LEASE_SECONDS * 1000,
    progress_interval_ms=PROGRESS_SECONDS * 1000,
    callback_timeout_s=CALLBACK_TIMEOUT.total_seconds(),
    callback_max_attempts=MAX_ATTEMPTS,
    image_allowed_hosts="private",
    image_max_bytes=IMAGE_LIMIT,
    image_max_pixels=IMAGE_LIMIT,
    media_max_bytes=IMAGE_LIMIT,
)


@dataclass(kw_only=True)
class Bench:
    """Is one process on a store, with as many schedulers as a test makes."""

    runtime: Runtime
    namespace: Namespace
    clock: VirtualClock
    provider: ScriptedProvider
    receiver: Receiver

    @property
    def stores(self) -> Stores:
        return self.namespace.stores

    @property
    def ids(self) -> Ids:
        return self.namespace.ids

    @property
    def event_bus(self) -> EventBus:
        return self.namespace.event_bus

    @property
    def blob_urls(self) -> BlobUrls:
        return self.namespace.blob_urls

    def elsewhere(self, clock: VirtualClock | None = None) -> "Bench":
        """Return another process on the same store: no event of this one's bus reaches it."""
        clock = clock or self.clock
        feed = FollowEvents(
            feed=self.runtime.stores.feed, namespace_feed=self.runtime.stores.namespace_feed, clock=clock
        )
        namespace = make_namespace(self.runtime, clock=clock, ids=self.ids, event_feed=feed)
        return replace(self, namespace=namespace, clock=clock)

    async def submit(self, count: int = 1, *, consumer: str = EVERYBODY, **members: Json) -> Sequence[Job]:
        template: JsonObject = {**TEMPLATE, **members}
        templates = [parse_template(template, path=f"jobs[{index}]") for index in range(count)]
        return await self.namespace.use_cases.submit(templates, Caller(trace_id=TRACE_ID, consumer=consumer))

    async def add(self, number: int, *, after: Sequence[Job] = (), callback_url: str | None = None) -> Job:
        """Store one job as a submission would, with what no submission of this bench has."""
        dependencies = tuple(job.id for job in after)
        plain = make_job(number, created_at=self.clock.now())
        job = replace(
            plain,
            spec=REQUEST,
            resources=plain.resources[:1],
            slots=plain.slots[:1],
            dependencies=dependencies,
            is_blocked=bool(dependencies),
            callback_url=callback_url,
        )
        await self.stores.jobs.add([job])
        self.event_bus.publish_changes([job])
        self.event_bus.publish_work()
        return job

    async def cancel(self, job_id: str) -> None:
        await self.namespace.use_cases.cancel.by_id(job_id)

    async def job(self, job_id: str) -> Job:
        job = await self.stores.jobs.get(job_id)
        assert job is not None
        return job

    async def has_ended(self, job_id: str) -> bool:
        return (await self.job(job_id)).outcome is not None

    async def have_all_ended(self, jobs: Sequence[Job]) -> bool:
        return all([await self.has_ended(job.id) for job in jobs])

    async def is_in(self, job_id: str, stage: Stage) -> bool:
        return (await self.job(job_id)).stage is stage

    async def is_sent(self, job_id: str) -> bool:
        return await self.is_in(job_id, Stage.SENT_TO_COMFY)

    async def event_types(self, job_id: str) -> list[str]:
        """Return the types of a job's events, in order."""
        return [event.type for event in await self.stores.jobs.events(job_id)]

    async def read_blob(self, key: str) -> bytes:
        return await collect((await self.namespace.blob_access.open(key, owner=None)).content())

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, and let everything happen that it lets happen."""
        self.clock.advance(seconds)
        await settle()

    async def outlive_a_lease(self) -> None:
        """Let a lease end, and let every scheduler scan often enough to be sure that nobody renews it."""
        self.clock.advance(LEASE_SECONDS)
        for _ in range(SCANS):
            await self.pass_time(POLL_SECONDS)

    def scheduler(
        self,
        *,
        worker_id: str = "local-1",
        stores: Stores | None = None,
        provider: Provider | None = None,
        max_in_flight: int = 100,
        grace: float = 0.0,
    ) -> Scheduler:
        changes = {"scheduler_max_in_flight": max_in_flight, "shutdown_grace_ms": grace * 1000}
        namespace = replace(
            self.namespace,
            runtime=replace(self.runtime, settings=self.runtime.settings.model_copy(update=changes)),
            stores=stores or self.stores,
            provider=provider or self.provider,
        )
        return make_scheduler(namespace, worker_id=worker_id)

    def services(self, *, provider: Provider | None = None) -> RunnerServices:
        return make_runner_services(replace(self.namespace, provider=provider or self.provider))


@asynccontextmanager
async def open_bench(
    clock: VirtualClock,
    ids: SeededIds,
    receiver: Receiver,
    *,
    stores: Stores | None = None,
    provider: ScriptedProvider | None = None,
) -> AsyncIterator[Bench]:
    """Open one on SQLite in memory and with a scripted provider, unless others are given."""
    provider = provider or ScriptedProvider()
    async with open_runtime(
        SETTINGS,
        clock=clock,
        ids=ids,
        stores=stores,
        provider=provider,
        artist=PlainArtist(),
        network=receiver.network,
    ) as runtime:
        yield Bench(
            runtime=runtime, namespace=make_namespace(runtime), clock=clock, provider=provider, receiver=receiver
        )


@asynccontextmanager
async def running(scheduler: Scheduler) -> AsyncIterator[None]:
    """Run the scheduler beside the test, and stop it as a process would."""
    task = asyncio.create_task(scheduler.run())
    try:
        yield
    finally:
        scheduler.stop()
        await task


@asynccontextmanager
async def running_until_killed(scheduler: Scheduler) -> AsyncIterator[None]:
    """Run a scheduler beside the test, and kill it at the end: its store is frozen, so it cannot stop in good order."""
    others = asyncio.all_tasks()
    task = asyncio.create_task(scheduler.run())
    try:
        yield
    finally:
        while not task.done():
            for left in asyncio.all_tasks() - others:
                left.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError, BaseExceptionGroup):
            await task


@pytest.fixture
async def bench(clock: VirtualClock, ids: SeededIds) -> AsyncIterator[Bench]:
    async with Receiver() as receiver, open_bench(clock, ids, receiver) as opened:
        yield opened
