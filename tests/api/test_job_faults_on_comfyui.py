"""Faults of jobs that ComfyUI servers run: they are the same as in simulation."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import ModelNames
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import JOBS, PATIENCE_SECONDS, Opened, serve_all, template
from tests.support.standin import running_standin

FILES: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}
STUCK_LOOKS = 20
PARAMS = {"prompt": "a fox", "steps": 2, "cfgScale": 7, "width": 64, "height": 64, "seed": 7}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with (
        running_standin(models=FILES, draw=draw_simulated) as standin,
        serve_all(comfy_http_url=standin.url, missing_resources="lenient") as running,
    ):
        yield running


async def run(opened: Opened, action: Any) -> Any:
    rule = {"action": action, "match": {"attempt": 1}}
    assert (await opened.client.post("/_mock/faults", json=rule)).status_code == 201
    return await opened.run(template(params=PARAMS, quantity=2))


ENDS: Mapping[str, tuple[Any, str, Sequence[bool]]] = {
    "fail": ({"fail": {"error": "E", "message": "m"}}, "Failed", [False, False]),
    "reject": ({"reject": True}, "Succeeded", [True, True]),
    "late reject": ({"lateReject": True}, "Succeeded", [True, True]),
    "expire the claim": ({"expireClaim": True}, "Succeeded", [True, True]),
    "partial": ({"partial": 1}, "Succeeded", [True, False]),
    "no result": ({"noResult": True}, "Succeeded", []),
}


@pytest.mark.parametrize("name", ENDS)
async def test_what_a_fault_makes_of_a_job(opened: Opened, name: str) -> None:
    action, end, available = ENDS[name]
    job = await run(opened, action)
    assert job["lastEvent"]["type"] == end
    assert [result["available"] for result in job["result"]] == available
    if end == "Failed":
        context = job["lastEvent"]["context"]
        assert (context["error"], context["message"], context["class_type"]) == ("E", "m", "KSampler")


async def test_a_stuck_job_stays_where_it_is(opened: Opened) -> None:
    await opened.client.post("/_mock/faults", json={"action": {"stick": "SENT_TO_COMFY"}})
    job_id = (await opened.client.post(JOBS, json=template(params=PARAMS))).json()["jobId"]
    path = f"/_mock/jobs/{job_id}"
    stages: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while stages.count("SENT_TO_COMFY") < STUCK_LOOKS:
            stages.append((await opened.client.get(path)).json()["stage"])
            await asyncio.sleep(0.01)
    assert stages[-STUCK_LOOKS:] == ["SENT_TO_COMFY"] * STUCK_LOOKS


async def test_a_lost_job_is_gone(opened: Opened) -> None:
    await opened.client.post("/_mock/faults", json={"action": {"lose": True}})
    job_id = (await opened.client.post(JOBS, json=template(params=PARAMS))).json()["jobId"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            if (await opened.client.get(f"{JOBS}/{job_id}")).status_code == 404:
                break
            await asyncio.sleep(0.01)
