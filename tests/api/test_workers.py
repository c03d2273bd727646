"""What is told of ComfyUI servers: health, coverage, and whether a job can be run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.process import free_port
from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, serve, template
from tests.support.standin import RunningStandin, running_standin

CHECKPOINT_FILE = "sdxl/civitai/101055/128078.safetensors"
LORA_FILE = "lora/sd1/civitai/82098/87153.safetensors"
MODELS = {"checkpoints": [CHECKPOINT_FILE], "loras": []}
COVERAGE = "/v1/consumer/coverage"


@asynccontextmanager
async def served_by(*standins: RunningStandin) -> AsyncIterator[Served]:
    async with serve(comfy_http_url=",".join(standin.url for standin in standins)) as served:
        yield served


@asynccontextmanager
async def served_by_nobody() -> AsyncIterator[Served]:
    """The only server has a password in its address, and is not there."""
    async with serve(comfy_http_url=f"http://user:hidden@127.0.0.1:{free_port()}") as served:
        yield served


def _support(job: dict[str, Any]) -> str:
    support: str = job["serviceProviders"]["local"]["support"]
    return support


async def _health(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert "hidden" not in answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_ready_server_is_reported_with_its_version_and_the_number_of_its_files() -> None:
    async with running_standin(models=MODELS) as standin, served_by(standin) as served:
        body = await _health(served.client)
    (worker,) = body["workers"]
    assert body["status"] == "ok"
    assert (worker["ready"], worker["maxInFlight"], worker["models"]["checkpoints"]) == (True, 4, 1)
    assert worker["version"]
    assert "reason" not in worker


async def test_without_a_server_the_mock_is_degraded_and_says_why() -> None:
    async with served_by_nobody() as served:
        body = await _health(served.client)
    (worker,) = body["workers"]
    assert body["status"] == "degraded"
    assert not worker["ready"]
    assert worker["reason"]


async def test_one_server_of_two_is_enough_to_be_well() -> None:
    async with running_standin() as one, running_standin() as two:
        two.go_down()
        async with served_by(one, two) as served:
            body = await _health(served.client)
    assert body["status"] == "ok"
    assert [worker["ready"] for worker in body["workers"]] == [True, False]


async def test_a_process_that_runs_no_jobs_counts_none() -> None:
    async with running_standin() as standin, served_by(standin) as served:
        (worker,) = (await _health(served.client))["workers"]
    assert "inFlight" not in worker


async def test_coverage_counts_the_ready_servers_that_have_the_file() -> None:
    both = {"checkpoints": [CHECKPOINT_FILE], "loras": [LORA_FILE]}
    async with (
        running_standin(models=MODELS) as one,
        running_standin(models=both) as two,
        served_by(one, two) as served,
    ):
        answer = await served.client.get(COVERAGE, params={"model": [CHECKPOINT, LORA]})
    assert answer.json() == {
        CHECKPOINT: {"availability": "Available", "workers": 2},
        LORA: {"availability": "Available", "workers": 1},
    }


@pytest.mark.parametrize(
    ("file", "availability"),
    [
        ("dreams.safetensors", "Available"),
        ("lora/flux1/civitai/1/23.safetensors", "Available"),
        ("dreams_89d939e4d4.safetensors", "Available"),
        ("dreams_59cb7285.safetensors", "Unavailable"),
    ],
)
async def test_coverage_finds_a_file_as_a_job_would(file: str, availability: str) -> None:
    hashes = {"SHA256": "89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D", "CRC32": "59CB7285"}
    air = "urn:air:flux1:lora:civitai:1@23"
    resource = {"air": air, "modelName": "Dreams", "type": "lora", "fileName": "dreams.safetensors", "hashes": hashes}
    models = {"checkpoints": [CHECKPOINT_FILE], "loras": [file]}
    async with running_standin(models=models) as standin, served_by(standin) as served:
        assert (await served.client.post("/v2/resources", json=resource)).status_code == 201
        answer = await served.client.get(COVERAGE, params={"model": air})
    assert answer.json()[air]["availability"] == availability


async def test_a_resource_that_no_server_has_is_unavailable() -> None:
    async with running_standin(models=MODELS) as standin, served_by(standin) as served:
        answer = await served.client.get(COVERAGE, params={"model": LORA})
    assert answer.json() == {LORA: {"availability": "Unavailable", "workers": 0}}


@pytest.mark.parametrize("whatif", ["false", "true"])
@pytest.mark.parametrize(
    ("networks", "support"), [({}, "Available"), ({LORA: {"strength": 1.0}}, "Unavailable")], ids=["all", "some"]
)
async def test_a_job_has_support_if_one_server_has_all_of_its_files(
    networks: dict[str, Any], support: str, whatif: str
) -> None:
    async with running_standin(models=MODELS) as standin, served_by(standin) as served:
        sent = template(additionalNetworks=networks)
        answer = await served.client.post(JOBS, json=sent, params={"whatif": whatif})
    (job,) = answer.json()["jobs"]
    assert _support(job) == support


async def test_a_job_has_no_support_while_nobody_is_there() -> None:
    async with served_by_nobody() as served:
        job_id = await served.submit_one()
        status = (await served.client.get(f"{JOBS}/{job_id}")).json()
        assert _support(status) == "Unavailable"


async def test_a_job_that_needs_no_server_has_support_all_the_same() -> None:
    async with served_by_nobody() as served:
        answer = await served.client.post(JOBS, json={"$type": "prepareModel", "model": CHECKPOINT})
        (job,) = answer.json()["jobs"]
        assert _support(job) == "Available"
