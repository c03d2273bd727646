"""What can be done with ComfyUI servers under /_mock/workers: they are drained, resumed, and asked again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.comfyui_standin.options import ModelNames
from tests.support.comfyui import HELD, Gate
from tests.support.process import free_port
from tests.support.served_app import (
    CHECKPOINT,
    JOBS,
    PATIENCE_SECONDS,
    Opened,
    make_settings,
    open_app,
    serve,
    serve_all,
    template,
)
from tests.support.standin import RunningStandin, running_standin

MODELS: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}
WORKERS, COVERAGE = "/_mock/workers", "/v1/consumer/coverage"
REASON = "draining: it gets no new jobs until it is resumed"


@asynccontextmanager
async def held(gate: Gate) -> AsyncIterator[RunningStandin]:
    async with running_standin(models=MODELS, clock=gate, options=HELD) as standin:
        yield standin


def name_of(standin: RunningStandin) -> str:
    return f"127.0.0.1:{standin.port}"


def accepted(standin: RunningStandin) -> int:
    return sum(facts.accepted for facts in standin.server.state.stats.prompts.values())


async def order(opened: Opened, worker_id: str, word: str) -> Any:
    answer = await opened.client.post(f"{WORKERS}/{worker_id}/{word}", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def workers(opened: Opened) -> dict[str, Any]:
    return {item["id"]: item for item in (await opened.client.get(WORKERS)).json()["items"]}


async def submit(opened: Opened) -> str:
    answer = await opened.client.post(JOBS, json=template())
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


async def until_sent(opened: Opened, job_id: str) -> None:
    """Wait until a server has a job."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            if (await opened.use_cases.query.by_id(job_id)).stage == "SENT_TO_COMFY":
                return
            await asyncio.sleep(0)


async def test_a_draining_server_ends_what_it_has_and_gets_nothing_more() -> None:
    gate = Gate()
    async with held(gate) as one, serve_all(comfy_http_url=one.url) as alone:
        first = await submit(alone)
        await until_sent(alone, first)
        told = await order(alone, name_of(one), "drain")
        assert (told["ready"], told["draining"], told["reason"], told["inFlight"]) == (False, True, REASON, 1)
        assert (told["id"], told["url"], "notYet" in told) == (name_of(one), f"{one.url}/", False)
        second = await submit(alone)
        gate.open()
        await alone.wait_until_ended(first)
        assert (await alone.client.get(f"{JOBS}/{first}")).json()["lastEvent"]["type"] == "Succeeded"
        assert accepted(one) == 1
        assert (await workers(alone))[name_of(one)]["inFlight"] == 0
        resumed = await order(alone, name_of(one), "resume")
        assert (resumed["ready"], "draining" in resumed, "reason" in resumed) == (True, False, False)
        await alone.wait_until_ended(second)
        assert accepted(one) == 2


async def test_what_comes_goes_to_the_other_servers() -> None:
    async with (
        running_standin(models=MODELS) as one,
        running_standin(models=MODELS) as two,
        serve_all(comfy_http_url=f"{one.url},{two.url}") as opened,
    ):
        await order(opened, name_of(one), "drain")
        for _ in range(3):
            await opened.wait_until_ended(await submit(opened))
        assert (accepted(one), accepted(two)) == (0, 3)
        await order(opened, name_of(two), "drain")
        await order(opened, name_of(one), "resume")
        await opened.wait_until_ended(await submit(opened))
        assert (accepted(one), accepted(two)) == (1, 3)


async def test_health_coverage_support_and_metrics_tell_that_nobody_takes_jobs() -> None:
    async with running_standin(models=MODELS) as one, serve(comfy_http_url=one.url) as served:
        client = served.client
        job_id = await served.submit_one()
        for word, availability, status, ready in (
            ("drain", "Unavailable", "degraded", 503),
            ("drain", "Unavailable", "degraded", 503),
            ("resume", "Available", "ok", 200),
            ("resume", "Available", "ok", 200),
        ):
            told = await order(served, name_of(one), word)
            health = (await client.get("/health")).json()
            assert (health["status"], health["workers"][0].get("draining")) == (status, told.get("draining"))
            assert health["workers"][0].get("reason") == (REASON if word == "drain" else None)
            probe = await client.get("/health/ready")
            assert (probe.status_code, f"{name_of(one)}: {REASON}" in probe.text) == (ready, ready == 503)
            coverage = (await client.get(COVERAGE, params={"model": CHECKPOINT})).json()
            assert coverage[CHECKPOINT] == {"availability": availability, "workers": int(ready == 200)}
            support = (await client.get(f"{JOBS}/{job_id}")).json()["serviceProviders"]["local"]["support"]
            assert support == availability
            up = f'civitai_mock_worker_up{{worker="{name_of(one)}"}} {float(ready == 200)}'
            assert up in (await client.get("/metrics")).text


async def test_a_restart_changes_nothing_and_a_reset_of_all_does(tmp_path: Path) -> None:
    async with running_standin(models=MODELS) as one:
        settings = make_settings(comfy_http_url=one.url, mongodb_uri=None, data_dir=str(tmp_path))
        async with open_app(Application(settings)) as before:
            await order(before, name_of(one), "drain")
            await submit(before)
        async with open_app(Application(settings)) as after:
            assert (await workers(after))[name_of(one)]["draining"]
            await after.client.post("/_mock/reset", json={})
            assert (await workers(after))[name_of(one)]["draining"]
            assert accepted(one) == 0
            assert (await after.client.post("/_mock/reset?all=true", json={})).status_code == 204
            assert (await workers(after))[name_of(one)]["ready"]


async def test_a_server_that_is_held_to_be_away_is_asked_at_once() -> None:
    """On a clock that stands still nobody else asks it."""
    async with running_standin(models=MODELS) as one:
        one.go_down()
        async with serve(comfy_http_url=one.url) as served:
            before = (await workers(served))[name_of(one)]
            again = await order(served, name_of(one), "retry")
            assert (before["ready"], again["ready"], again["reason"]) == (False, False, before["reason"])
            await one.come_back()
            assert not (await workers(served))[name_of(one)]["ready"]
            told = await order(served, name_of(one), "retry")
            assert (told["ready"], bool(told["version"]), "reason" in told) == (True, True, False)
            assert await order(served, name_of(one), "retry") == told


async def test_a_server_that_is_away_can_be_drained_before_it_comes_back() -> None:
    async with running_standin(models=MODELS) as one:
        one.go_down()
        async with serve(comfy_http_url=one.url) as served:
            away = await order(served, name_of(one), "drain")
            assert (away["draining"], away["reason"] == REASON) == (True, False)
            await one.come_back()
            back = await order(served, name_of(one), "retry")
            assert (back["ready"], back["reason"]) == (False, REASON)


@pytest.mark.parametrize("word", ["drain", "resume", "retry"])
async def test_a_worker_that_is_unknown_or_simulated_is_refused(word: str) -> None:
    async with serve() as served:
        simulated = await served.client.post(f"{WORKERS}/local/{word}", json={})
        assert (simulated.status_code, "PUT /_mock/queue/claiming" in simulated.json()["detail"]) == (409, True)
        unknown = await served.client.post(f"{WORKERS}/locale/{word}", json={})
        assert (unknown.status_code, "Did you mean 'local'?" in unknown.json()["detail"]) == (404, True)
        misspelt = await served.client.post(f"{WORKERS}/local/{word}", json={"force": True})
        assert (misspelt.status_code, list(misspelt.json()["errors"])) == (400, ["force"])
        await served.client.put("/_mock/fleet", json={})
        gone = await served.client.post(f"{WORKERS}/local/{word}", json={})
        assert gone.status_code == 404  # as its pods stand in its place, and none has booted


async def test_a_server_is_named_with_the_path_of_its_address_and_shows_no_password() -> None:
    port = free_port()
    async with serve(comfy_http_url=f"http://user:hidden@127.0.0.1:{port}/comfy/drain") as served:
        worker_id = f"127.0.0.1:{port}/comfy/drain"
        for sent in (worker_id, worker_id.replace("/", "%2F")):
            told = await order(served, sent, "drain")
            assert (told["id"], told["draining"], told["url"]) == (worker_id, True, f"http://{worker_id}/")
            assert "draining" not in await order(served, sent, "resume")
        answer = await served.client.get(WORKERS)
        assert "hidden" not in answer.text


async def test_a_pod_is_refused() -> None:
    async with serve_all() as opened:
        await opened.client.put("/_mock/fleet", json={})
        pod = (await opened.client.post("/_mock/fleet/pods", json={})).json()
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        await opened.client.post("/_mock/clock/advance", json={"by": "6m"})
        assert list(await workers(opened)) == [pod["podId"]]
        answer = await opened.client.post(f"{WORKERS}/{pod['podId']}/drain", json={})
        assert (answer.status_code, "/_mock/fleet/pods/" in answer.json()["detail"]) == (409, True)


async def test_a_server_is_drained_also_from_a_namespace_that_shows_a_fleet() -> None:
    async with running_standin(models=MODELS) as one, serve(comfy_http_url=one.url) as served:
        await served.client.put("/_mock/fleet", json={})
        assert name_of(one) not in await workers(served)
        assert (await order(served, name_of(one), "drain"))["draining"]


async def files(opened: Opened, air: str) -> dict[str, bool | None]:
    answer = await opened.client.get(WORKERS, params={"resource": air})
    assert answer.status_code == 200, answer.text
    return {item["id"]: item.get("hasFile") for item in answer.json()["items"]}


async def test_each_server_that_is_ready_says_whether_it_has_the_file_of_a_resource() -> None:
    async with (
        running_standin(models=MODELS) as rich,
        running_standin(models={"checkpoints": ["other.safetensors"]}) as poor,
        running_standin(models=MODELS) as third,
        serve(comfy_http_url=f"{rich.url},{poor.url},{third.url}") as served,
    ):
        assert await files(served, CHECKPOINT) == {name_of(rich): True, name_of(poor): False, name_of(third): True}
        await order(served, name_of(third), "drain")
        assert await files(served, CHECKPOINT) == {name_of(rich): True, name_of(poor): False, name_of(third): None}
        assert all("hasFile" not in item for item in (await workers(served)).values())
        coverage = (await served.client.get(COVERAGE, params={"model": CHECKPOINT})).json()
        assert coverage[CHECKPOINT]["workers"] == 1
        changed = {"air": CHECKPOINT, "fileName": "other.safetensors"}
        (await served.client.put(f"/_mock/resources/{CHECKPOINT}", json=changed)).raise_for_status()
        assert await files(served, CHECKPOINT) == {name_of(rich): True, name_of(poor): True, name_of(third): None}


async def test_what_is_simulated_has_every_file_unless_a_fault_has_it_out() -> None:
    async with serve() as served:
        assert await files(served, CHECKPOINT) == {"local": True}
        rule = {"match": {"ecosystem": "sdxl"}, "preset": "provider-outage"}
        (await served.client.post("/_mock/faults", json=rule)).raise_for_status()
        assert await files(served, CHECKPOINT) == {"local": False}


async def test_pods_have_the_files_that_a_worker_has() -> None:
    async with serve_all() as opened:
        await opened.client.put("/_mock/fleet", json={})
        pod_id = (await opened.client.post("/_mock/fleet/pods", json={})).json()["podId"]
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        await opened.client.post("/_mock/clock/advance", json={"by": "6m"})
        assert await files(opened, CHECKPOINT) == {pod_id: True}
        rule = {"match": {"ecosystem": "sdxl"}, "preset": "provider-outage"}
        (await opened.client.post("/_mock/faults", json=rule)).raise_for_status()
        assert await files(opened, CHECKPOINT) == {pod_id: False}


@pytest.mark.parametrize(
    ("air", "status", "paths"), [("nonsense", 400, ["resource"]), ("urn:air:sdxl:lora:civitai:7@8", 404, [])]
)
async def test_a_resource_that_is_asked_for_has_to_be_known(air: str, status: int, paths: list[str]) -> None:
    async with serve() as served:
        answer = await served.client.get(WORKERS, params={"resource": air})
        assert (answer.status_code, list(answer.json().get("errors", {}))) == (status, paths)
