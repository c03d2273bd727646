"""The examples for people: what can be sent, and what this server makes of it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.bootstrap.stores import read_catalogue
from civitai_mock.clock import SeededIds, VirtualClock
from tests.support.dates import START
from tests.support.golden import Golden
from tests.support.paths import ROOT
from tests.support.served_app import JOBS, Opened, make_settings, open_app

ASSETS = ROOT / "assets"
INPUTS = sorted(ASSETS.glob("example-input*.json"))
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FIXED = {"public_url": "http://127.0.0.1:3000", "blob_signing_key": "an example, not a secret"}


@asynccontextmanager
async def _serve(*, with_scheduler: bool) -> AsyncIterator[Opened]:
    """With a clock that stands still and dice that fall the same each time."""
    settings, clock = make_settings(**FIXED), VirtualClock(START)
    application = Application(settings, with_scheduler=with_scheduler, clock=clock, ids=SeededIds())
    async with open_app(application) as opened:
        yield opened


async def _submit(opened: Opened, path: Path) -> dict[str, Any]:
    answer = await opened.client.post(JOBS, content=path.read_bytes(), headers={"traceparent": TRACEPARENT})
    assert answer.status_code == 202, answer.text
    submitted: dict[str, Any] = answer.json()
    return submitted


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
async def test_every_example_input_ends_as_succeeded(path: Path) -> None:
    async with _serve(with_scheduler=True) as opened:
        for job in (await _submit(opened, path))["jobs"]:
            await opened.wait_until_ended(job["jobId"])
            status = (await opened.client.get(f"{JOBS}/{job['jobId']}")).json()
            assert status["lastEvent"]["type"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "with_scheduler", "query"),
    [
        ("example-get-job.json", True, ""),
        ("example-get-job-detailed.json", True, "?detailed=true"),
        ("example-get-job-queued.json", False, ""),
    ],
)
async def test_the_example_answers_are_this_servers_own(
    golden: Golden, name: str, with_scheduler: bool, query: str
) -> None:
    async with _serve(with_scheduler=with_scheduler) as opened:
        job_id = (await _submit(opened, ASSETS / "example-input.json"))["jobId"]
        if with_scheduler:
            await opened.wait_until_ended(job_id)
        golden.check_json(ASSETS / name, (await opened.client.get(f"{JOBS}/{job_id}{query}")).json())


@pytest.mark.parametrize("path", [path for path in INPUTS if "batch" not in path.stem], ids=lambda path: path.stem)
async def test_the_example_graphs_are_what_is_built(golden: Golden, path: Path) -> None:
    async with _serve(with_scheduler=True) as opened:
        job_id = (await _submit(opened, path))["jobId"]
        await opened.wait_until_ended(job_id)
        status = (await opened.client.get(f"{JOBS}/{job_id}")).json()
    ecosystem = path.stem.removeprefix("example-input").removeprefix("-") or "sd1"
    graph = json.loads(status["lastEvent"]["context"]["comfy_prompt_request"])
    golden.check_json(ASSETS / f"comfyui-{ecosystem}.json", graph)


def test_the_example_resources_are_the_built_in_catalogue(golden: Golden) -> None:
    golden.check_json(ASSETS / "example-resources.json", [resource.info for resource in read_catalogue()])
