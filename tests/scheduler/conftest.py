"""A scheduler on SQLite in memory, with a clock that is moved and a provider that is told what to do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from civitai_mock.bootstrap.providers import read_skeletons
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.job_types import parse_template
from civitai_mock.ports import Provider, Stores
from civitai_mock.scheduler.callbacks import Callbacks
from civitai_mock.scheduler.loop import Scheduler, SchedulerOptions
from civitai_mock.scheduler.signals import InProcessSignals
from civitai_mock.scheduler.turns import Turns
from civitai_mock.scheduler.work import Tools
from civitai_mock.services.blobs import BlobUrls, OwnBlobs
from civitai_mock.services.caller import Caller
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import EVERYBODY
from civitai_mock.services.hosts import PRIVATE, callback_policy, picture_policy
from civitai_mock.services.pictures import PictureUrls
from civitai_mock.services.submit import MissingResources, SubmitJobs
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from tests.support.jobs import CHECKPOINT, TRACE_ID, make_job
from tests.support.provider import PlainArtist, ScriptedProvider
from tests.support.receiver import Receiver
from tests.support.turns import settle

POLL_SECONDS = 2.0
LEASE_SECONDS = 15.0
LOOKS = 5
PROGRESS_SECONDS = 2.0
CALLBACK_TIMEOUT = timedelta(seconds=5)
MAX_ATTEMPTS = 3
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


@dataclass(kw_only=True)
class Bench:
    """One store, one provider, and as many schedulers as a test asks for."""

    clock: VirtualClock
    ids: SeededIds
    stores: Stores
    provider: ScriptedProvider
    receiver: Receiver
    signals: InProcessSignals = field(default_factory=InProcessSignals)

    @property
    def blob_urls(self) -> BlobUrls:
        return BlobUrls(key=b"a key for tests", lifetime=timedelta(hours=1), clock=self.clock)

    async def submit(self, count: int = 1, *, consumer: str = EVERYBODY, **members: Json) -> Sequence[Job]:
        submit = SubmitJobs(
            jobs=self.stores.jobs,
            search=self.stores.search,
            resources=self.stores.resources,
            signals=self.signals,
            clock=self.clock,
            ids=self.ids,
            callback_hosts=callback_policy([PRIVATE]),
            picture_urls=PictureUrls(blob_urls=self.blob_urls, hosts=picture_policy([PRIVATE])),
            missing_resources=MissingResources.LENIENT,
            job_lifetime=timedelta(days=1),
            claim_timeout=timedelta(minutes=10),
        )
        template: JsonObject = {**TEMPLATE, **members}
        caller = Caller(trace_id=TRACE_ID, consumer=consumer)
        return await submit({f"jobs[{index}]": parse_template(template) for index in range(count)}, caller)

    async def add(self, number: int, *, after: Sequence[Job] = (), callback_url: str | None = None) -> Job:
        """Store one job as a submission would, with what no submission of this bench has."""
        dependencies = tuple(job.id for job in after)
        plain = make_job(number, created_at=self.clock.now())
        job = replace(
            plain,
            request=REQUEST,
            resources=plain.resources[:1],
            slots=plain.slots[:1],
            dependencies=dependencies,
            is_blocked=bool(dependencies),
            callback_url=callback_url,
        )
        await self.stores.jobs.add([job])
        self.signals.changed([job])
        self.signals.submitted()
        return job

    async def cancel(self, job_id: str) -> None:
        await CancelJobs(jobs=self.stores.jobs, signals=self.signals, clock=self.clock).by_id(job_id)

    async def job(self, job_id: str) -> Job:
        job = await self.stores.jobs.get(job_id)
        assert job is not None
        return job

    async def ended(self, job_id: str) -> bool:
        return (await self.job(job_id)).outcome is not None

    async def all_ended(self, jobs: Sequence[Job]) -> bool:
        return all([await self.ended(job.id) for job in jobs])

    async def outlive_a_lease(self) -> None:
        """Let a lease end, and let every scheduler look often enough to be sure that nobody renews it."""
        self.clock.advance(LEASE_SECONDS)
        for _ in range(LOOKS):
            self.clock.advance(POLL_SECONDS)
            await settle()

    async def told(self, job_id: str) -> list[str]:
        """The types of a job's events, in order."""
        return [event.type for event in await self.stores.jobs.events(job_id)]

    def scheduler(
        self,
        *,
        worker_id: str = "local-1",
        stores: Stores | None = None,
        provider: Provider | None = None,
        signals: InProcessSignals | None = None,
        max_in_flight: int = 100,
        grace: float = 0.0,
    ) -> Scheduler:
        own_signals = signals or self.signals
        seen = stores or self.stores
        tools = self.tools(stores=seen, provider=provider)
        options = SchedulerOptions(
            poll=timedelta(seconds=POLL_SECONDS),
            max_in_flight=max_in_flight,
            lease=timedelta(seconds=LEASE_SECONDS),
            grace=timedelta(seconds=grace),
        )
        return Scheduler(
            worker_id=worker_id,
            jobs=seen.jobs,
            queue=seen.queue,
            search=seen.search,
            tools=tools,
            callbacks=self.callbacks(seen, own_signals),
            signals=own_signals,
            options=options,
        )

    def tools(self, *, stores: Stores | None = None, provider: Provider | None = None) -> Tools:
        return Tools(
            provider=provider or self.provider,
            artist=PlainArtist(),
            jobs=(stores or self.stores).jobs,
            blobs=self.stores.blobs,
            skeletons=read_skeletons(),
            clock=self.clock,
            ids=self.ids,
            pace=1.0,
            turns=Turns(clock=self.clock, interval=timedelta(seconds=PROGRESS_SECONDS)),
            pictures=self.receiver.pictures(),
            blob_urls=self.blob_urls,
            own_blobs=OwnBlobs(blobs=self.stores.blobs),
        )

    def callbacks(self, stores: Stores, signals: InProcessSignals) -> Callbacks:
        return Callbacks(
            jobs=stores.jobs,
            webhooks=stores.webhooks,
            messenger=self.receiver.messenger(timeout=CALLBACK_TIMEOUT),
            render=lambda _, event: f"{event.seq} {event.type}".encode(),
            max_attempts=MAX_ATTEMPTS,
            signals=signals,
            clock=self.clock,
            ids=self.ids,
        )


@asynccontextmanager
async def running(scheduler: Scheduler) -> AsyncIterator[None]:
    """Runs beside the test, and is stopped as a process would be."""
    task = asyncio.create_task(scheduler.run())
    try:
        yield
    finally:
        scheduler.stop()
        await task


@asynccontextmanager
async def running_until_killed(scheduler: Scheduler) -> AsyncIterator[None]:
    """For a scheduler whose store has frozen: it cannot stop in good order."""
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
    async with open_sqlite(directory=None, names=TableNames()) as stores, Receiver() as receiver:
        yield Bench(clock=clock, ids=ids, stores=stores, provider=ScriptedProvider(), receiver=receiver)
