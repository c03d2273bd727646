"""What the fuzzed server has: without it, random questions would never be about something."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.applications import Starlette

from civitai_mock.api.app import Api
from civitai_mock.bootstrap.application import Application
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.tokens import encode_token
from civitai_mock.services.blobs import BlobUrls
from tests.support.dates import START
from tests.support.jobs import CHECKPOINT, LORA, make_job
from tests.support.served_app import BASE_URL, Served, make_settings
from tests.support.workflows import first_jobs, make_workflow

Known = Mapping[str, Sequence[Json]]

SIGNING_KEY = "a key for every day"
SIZE: JsonObject = {"width": 768, "height": 512}
COMPLETE: JsonObject = {
    "model": CHECKPOINT,
    "params": {"prompt": "a fox", "scheduler": "EulerA", "steps": 20, "cfgScale": 7, "seed": 7, **SIZE},
    "additionalNetworks": {LORA: {"type": "Lora", "strength": 0.8}},
    "quantity": 2,
}
WORKFLOW = make_workflow(tags=["best"])
FINISHED, QUEUED = (replace(make_job(number), spec=COMPLETE) for number in (1, 2))


def make_stocked_app() -> Api:
    """The API alone, at a moment that stays: jobs of random sizes would be drawn for hours."""
    clock = VirtualClock(START)
    settings = make_settings(blob_signing_key=SIGNING_KEY, seed_resources=True)
    application = Application(settings, clock=clock, ids=SeededIds(), with_scheduler=False)
    app = application.app
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def opened_and_filled(app: Starlette) -> AsyncIterator[None]:
        transport = httpx.ASGITransport(app)
        async with opened(app), httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            await _fill(Served(application=application, client=client, clock=clock))
            yield

    app.router.lifespan_context = opened_and_filled
    return app


async def _fill(served: Served) -> None:
    await served.stores.jobs.add([FINISHED])
    await served.finish()
    await served.stores.jobs.add([QUEUED])
    await served.stores.workflows.add(WORKFLOW, [replace(job, spec=COMPLETE) for job in first_jobs(WORKFLOW)])


def known_parameters() -> Known:
    """Values that lead somewhere, by the name of the parameter."""
    ids, slot = [FINISHED.id, QUEUED.id], FINISHED.slots[0]
    urls = BlobUrls(key=SIGNING_KEY.encode(), lifetime=timedelta(hours=1), clock=VirtualClock(START))
    return {
        "jobId": ids,
        "token": [encode_token(ids)],
        "key": [slot.blob_key],
        "air": [CHECKPOINT],
        "workflowId": [WORKFLOW.id],
        "stepName": ["$0"],
        "tag": ["best"],
        "serviceId": ["image/seedream/v4"],
        "model": [CHECKPOINT, LORA],
        **parse_qs(urlsplit(urls.sign(slot.blob_key, base_url=BASE_URL)[0]).query),
    }


def known_members() -> Known:
    """Values that are right, by the name of a member of a request: others would hide what the rest of it does."""
    return {
        "model": [CHECKPOINT],
        "additionalNetworks": [{LORA: {"strength": 0.8}}],
        "controlNets": [[], [{"preprocessor": "canny", "endStep": 0.5, "imageUrl": "https://media.test/1.png"}]],
        "scheduler": ["EulerA", "dpm2mKarras"],
        "timeout": ["00:10:00"],
        "duration": ["1.00:00:00"],
        "expireAt": ["2025-09-07T00:00:00Z"],
        "callbackUrl": ["http://127.0.0.1:9/"],
        "providers": [["local"]],
        "dependencies": [[]],
        "key": [FINISHED.slots[0].blob_key],
        "jobId": [FINISHED.id],
        **{name: ["https://media.test/1.png"] for name in ("imageUrl", "mediaUrl", "trainingData", "destinationUri")},
    }
