"""Recordings of the real service, and this server's answers at the same moments of a job's life."""

import json
from collections.abc import Sequence
from typing import Any

from civitai_mock.bootstrap.runners import make_runner_services
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.scheduler.executors.context import JobContext
from civitai_mock.scheduler.steps import accept
from tests.support.paths import DATA
from tests.support.served_app import JOBS, serve, serve_all

REQUESTS = ("v1-create-request-sdxl", "v1-create-request-sd1-lora")


def read_capture(name: str) -> Any:
    return json.loads((DATA / "captures" / f"{name}.json").read_text("utf-8"))


def read_official() -> Any:
    """The official description of v1."""
    return json.loads((DATA / "openapi-v1.json").read_text("utf-8"))


async def replay_submitted(request: str) -> Any:
    """The answer to a recorded request."""
    async with serve() as served:
        return (await served.client.post(f"{JOBS}?detailed=true", json=read_capture(request))).json()


async def replay_claimed(request: str) -> Any:
    """The detailed job a while later, just claimed."""
    async with serve() as served:
        job_id = (await served.client.post(JOBS, json=read_capture(request))).json()["jobId"]
        served.clock.advance(14.5395459)
        claimed = await served.claim()
        services = make_runner_services(served.namespace)
        context = JobContext(job=claimed, services=services, publish=_publish_nothing, before_waiting=_store_nothing)
        await accept(context)
        await served.enter(claimed, context.event_context)
        return (await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json()


async def replay_succeeded(request: str) -> Any:
    """The job at its end, as the whole server in instant simulation brought it there.

    It is the second of its kind: the recorded worker had the model in memory already.
    """
    async with serve_all() as opened:
        for _ in range(2):
            job_id = (await opened.client.post(JOBS, json=read_capture(request))).json()["jobId"]
            await opened.wait_until_ended(job_id)
        return (await opened.client.get(f"{JOBS}/{job_id}")).json()


async def _publish_nothing(_: JsonObject, __: Sequence[Slot]) -> None:
    """Ignore progress: the stage that is replayed has none."""


async def _store_nothing() -> None:
    """Do not wait for the store: the stage that is replayed takes no time."""
