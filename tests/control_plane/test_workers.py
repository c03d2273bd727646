"""ComfyUI servers are drained and asked again by all processes: one, or several on one file or on one MongoDB."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.providers.comfyui.workers.fleet import Fleet
from tests.control_plane.conftest import EVERY_LAYOUT
from tests.control_plane.test_every_layout import ask, end_of, submit
from tests.support.comfyui import HELD, Gate
from tests.support.deployment import Deployment, deployed
from tests.support.served_app import PATIENCE_SECONDS
from tests.support.standin import RunningStandin, running_standin

MODELS: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}
WORKERS, PROCESSES = "/_mock/workers", "/_mock/processes"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def held(gate: Gate) -> AsyncIterator[RunningStandin]:
    """Run a server that ends nothing before the gate opens."""
    async with running_standin(models=MODELS, clock=gate, options=HELD) as standin:
        yield standin


@pytest.fixture
async def standins() -> AsyncIterator[tuple[RunningStandin, RunningStandin]]:
    async with running_standin(models=MODELS) as one, running_standin(models=MODELS) as two:
        yield one, two


@pytest.fixture(params=EVERY_LAYOUT)
async def deployment(
    request: pytest.FixtureRequest, tmp_path: Path, standins: tuple[RunningStandin, RunningStandin]
) -> AsyncIterator[Deployment]:
    urls = ",".join(standin.url for standin in standins)
    async with deployed(request.param, tmp_path, comfy_http_url=urls) as opened:
        yield opened


@pytest.fixture(params=EVERY_LAYOUT)
async def on_held(request: pytest.FixtureRequest, tmp_path: Path, held: RunningStandin) -> AsyncIterator[Deployment]:
    async with deployed(request.param, tmp_path, comfy_http_url=held.url, comfy_max_in_flight=3) as opened:
        yield opened


def name_of(standin: RunningStandin) -> str:
    return f"127.0.0.1:{standin.port}"


def accepted(standin: RunningStandin) -> int:
    return sum(facts.accepted for facts in standin.server.state.stats.prompts.values())


async def test_from_the_answer_on_no_process_sends_anything_to_a_draining_server(
    deployment: Deployment, standins: tuple[RunningStandin, RunningStandin]
) -> None:
    client, (one, two) = deployment.client, standins
    for turn, (draining, other) in enumerate([(one, two), (two, one)], 1):
        await ask(client, "POST", f"{WORKERS}/{name_of(draining)}/drain")
        for _ in deployment.apis:
            told = {item["id"]: item for item in (await ask(client, "GET", WORKERS))["items"]}
            assert (told[name_of(draining)]["draining"], told[name_of(other)]["ready"]) == (True, True)
        before = accepted(draining)
        for job_id in await submit(client, count=8):
            assert (await end_of(client, job_id))["type"] == "Succeeded"
        assert (accepted(draining), accepted(other) >= 8) == (before, True), turn
        await ask(client, "POST", f"{WORKERS}/{name_of(draining)}/resume")
        for _ in deployment.apis:
            assert all(item["ready"] for item in (await ask(client, "GET", WORKERS))["items"])


async def test_every_process_asks_a_server_when_one_is_told_to(
    deployment: Deployment, standins: tuple[RunningStandin, RunningStandin], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()

    class Listening(Fleet):
        def recheck(self, worker_id: str) -> None:
            asked[worker_id] += 1
            super().recheck(worker_id)

    for opened in (*(each.namespaces for each in deployment.apis), *deployment.schedulers):
        assert opened is not None
        servers: Any = opened.default.runtime.provider.servers
        monkeypatch.setattr(servers, "__class__", Listening)
    processes = len(deployment.apis) + len(deployment.schedulers)
    one, two = map(name_of, standins)
    await ask(deployment.client, "POST", f"{WORKERS}/{one}/retry")
    assert asked == Counter({one: processes - 1})  # the one that was told waits for the answer
    await ask(deployment.client, "POST", f"{WORKERS}/{two}/drain")
    await ask(deployment.client, "POST", f"{WORKERS}/{one}/retry")
    assert asked == Counter({one: 2 * (processes - 1)})


async def test_any_process_tells_what_is_left_on_a_draining_server_until_it_is_empty(
    on_held: Deployment, held: RunningStandin, gate: Gate
) -> None:
    client, schedulers = on_held.client, max(len(on_held.schedulers), 1)
    job_ids = await submit(client, count=7)

    async def in_flight() -> set[int]:
        found = [(await ask(client, "GET", WORKERS))["items"] for _ in on_held.apis]
        assert {item["maxInFlight"] for (item,) in found} == {3 * schedulers}
        return {item["inFlight"] for (item,) in found}

    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            if accepted(held) >= 3 and await in_flight() == {accepted(held)}:  # one process may have claimed all
                break
            await asyncio.sleep(0.01)
    await ask(client, "POST", f"{WORKERS}/{name_of(held)}/drain")
    seen = [max(await in_flight())]
    assert seen[0] >= accepted(held) >= 3
    gate.open()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while seen[-1] > 0:
            seen.append(max(await in_flight()))
            await asyncio.sleep(0.01)
    assert seen == sorted(seen, reverse=True)
    assert accepted(held) <= seen[0]
    await ask(client, "POST", f"{WORKERS}/{name_of(held)}/resume")
    for job_id in job_ids:
        assert (await end_of(client, job_id))["type"] == "Succeeded"


async def test_all_processes_are_listed_by_any_of_them(on_held: Deployment, held: RunningStandin, gate: Gate) -> None:
    client, schedulers = on_held.client, max(len(on_held.schedulers), 1)
    await submit(client, count=3)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            lists = [(await ask(client, "GET", PROCESSES))["items"] for _ in on_held.apis]
            if all(sum(item.get("jobs", 0) for item in items) == 3 for items in lists):
                break
            await asyncio.sleep(0.01)
    for items in lists:
        assert len(items) == len(on_held.apis) + len(on_held.schedulers)
        assert [item["runsJobs"] for item in items].count(True) == schedulers
        assert [item["answering"] for item in items].count(True) == 1
        assert all(item["alive"] and item["pid"] == os.getpid() for item in items)
        for item in items:
            assert ("jobs" in item, "leaseSeconds" in item) == (item["runsJobs"], item["runsJobs"])
            assert ("leasedUntil" in item) is (item.get("jobs", 0) > 0)
            assert item.get("leasedUntil", "9") > item["lastSeenAt"] >= item["startedAt"]
    workers = {job["workerId"] for job in (await ask(client, "GET", "/_mock/jobs"))["items"]}
    assert workers == {item["id"] for item in lists[0] if item.get("jobs")}
    gate.open()
