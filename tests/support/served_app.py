"""The app as a server opens it, with a client beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from civitai_mock.api.app import Api
from civitai_mock.api.exchange import UseCases
from civitai_mock.bootstrap.application import Application
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Metrics, Stores
from civitai_mock.settings import MEMORY_URI, Settings
from tests.support.dates import START
from tests.support.jobs import LEASE, chunks, make_claim, succeeded

BASE_URL = "http://mock.test:3000"
JOBS = "/v1/consumer/jobs"
CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
LORA = "urn:air:sd1:lora:civitai:82098@87153"
PATIENCE_SECONDS = 60
IMAGE = bytes(range(256)) * 3000  # more than a store hands over at once


def template(**changes: Any) -> dict[str, Any]:
    """Return a submission that works."""
    params = {"prompt": "a fox", "steps": 20, "cfgScale": 7, "width": 768, "height": 512, "seed": 7}
    return {"$type": "textToImage", "model": CHECKPOINT, "params": params} | changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Is an open app on the memory store."""

    application: Application
    client: httpx.AsyncClient

    @property
    def app(self) -> Api:
        return self.application.app

    @property
    def namespace(self) -> Namespace:
        return self.application.namespace

    @property
    def use_cases(self) -> UseCases:
        return self.namespace.use_cases

    @property
    def stores(self) -> Stores:
        return self.namespace.stores

    @property
    def metrics(self) -> Metrics:
        return self.namespace.runtime.metrics

    def answer_with(self, **use_cases: Any) -> None:
        """Put other use cases into the place of these from now on."""
        changed = replace(self.use_cases, **use_cases)
        vars(self.namespace)["use_cases"] = changed  # where the cached property keeps them

    async def run(self, submission: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Any:
        """Submit one job, and return its detailed status once it has ended."""
        answer = await self.client.post(JOBS, json=submission, headers=headers)
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["jobId"]
        await self.wait_until_ended(job_id)
        return (await self.client.get(f"{JOBS}/{job_id}?detailed=true", headers=headers)).json()

    async def wait_until_ended(self, job_id: str) -> None:
        """Wait for a job's end, while the scheduler works."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in count():
                if (await self.use_cases.query.by_id(job_id)).outcome is not None:
                    return
                await asyncio.sleep(0)  # the memory store answers without letting other tasks run


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Opened):
    """Is an API without a scheduler, on a clock that only tests move."""

    clock: VirtualClock

    async def submit(self, **changes: Any) -> dict[str, Any]:
        answer = await self.client.post(JOBS, json=template(**changes))
        assert answer.status_code == 202, answer.text
        submitted: dict[str, Any] = answer.json()
        return submitted

    async def submit_one(self, **changes: Any) -> str:
        return str((await self.submit(**changes))["jobId"])

    async def queued(self) -> int:
        """Claim all jobs that can be claimed, and return how many there are."""
        return len(await self.stores.queue.claim(make_claim(at=self.clock.now()), limit=100))

    async def claim(self) -> Job:
        """Claim the one queued job, as a scheduler does."""
        claim = replace(make_claim(at=self.clock.now()), provider=self.use_cases.provider_name)
        (claimed,) = await self.stores.queue.claim(claim, limit=1)
        return claimed

    async def enter(self, claimed: Job, context: JsonObject) -> None:
        """Write the event that says that the job is claimed."""
        entered = claimed.entered(Stage.CLAIMED, at=self.clock.now(), until=self.clock.now() + LEASE, context=context)
        assert await self.stores.jobs.replace(claimed, entered)

    async def finish(self, content: bytes = IMAGE) -> Job:
        """Let the one queued job succeed, with `content` as each of its images."""
        claimed = await self.claim()
        for slot in claimed.slots:
            await self.store_blob(slot.blob_key, content)
        done = succeeded(claimed, at=self.clock.now())
        assert await self.stores.jobs.replace(claimed, done)
        return done

    async def store_blob(self, key: str, content: bytes = IMAGE) -> None:
        keep_until = self.clock.now() + LEASE
        await self.stores.blobs.put(key, chunks(content), content_type="image/png", keep_until=keep_until)

    def blob_url(self, key: str) -> str:
        return self.use_cases.blob_urls.sign(key, base_url=BASE_URL)[0]


@asynccontextmanager
async def open_app(application: Application) -> AsyncIterator[Opened]:
    async with _client(application.app) as client:
        yield Opened(application=application, client=client)


@asynccontextmanager
async def serve(clock: VirtualClock | None = None, **settings: Any) -> AsyncIterator[Served]:
    """Serve the API alone: jobs move when a test moves them."""
    moved = clock or VirtualClock(START)
    application = Application(make_settings(**settings), clock=moved, ids=SeededIds(), with_scheduler=False)
    async with _client(application.app) as client:
        yield Served(application=application, client=client, clock=moved)


@asynccontextmanager
async def serve_all(**settings: Any) -> AsyncIterator[Opened]:
    """Serve the monolith in instant simulation, in real time."""
    async with open_app(Application(make_settings(**settings))) as opened:
        yield opened


def make_settings(**changes: Any) -> Settings:
    """Return settings of a memory store, whatever the environment says."""
    chosen = {
        "mongodb_uri": MEMORY_URI,
        "simulation_profile": "instant",
        "shutdown_grace_ms": 0,
        "admin_allowed_hosts": urlsplit(BASE_URL).hostname,
        **changes,
    }
    return Settings(**chosen)


@asynccontextmanager
async def _client(app: Api) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client
