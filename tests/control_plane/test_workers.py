"""ComfyUI servers are drained and asked again by all processes: one, or several on one file or on one MongoDB."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.providers.comfyui.workers.fleet import Fleet
from tests.control_plane.conftest import EVERY_LAYOUT
from tests.control_plane.test_every_layout import ask, end_of, submit
from tests.support.deployment import Deployment, deployed
from tests.support.standin import RunningStandin, running_standin

MODELS: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}
WORKERS = "/_mock/workers"


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
