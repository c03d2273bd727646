"""Real processes, killed with kill -9: the mock at each stage of a job, and ComfyUI servers in the middle of jobs."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.job_client import JOBS, TEMPLATE, JobClient
from tests.support.process import PATIENCE_SECONDS, Server, free_port, poll_until, running, start, wait_for

if TYPE_CHECKING:
    import subprocess

STAGES = ("CLAIMED", "PROMPT_PREPARED", "SENT_TO_COMFY", "COMFY_RESULT")
PARAMS = {"prompt": "a fox", "width": 64, "height": 64, "steps": 2}
SEEDS = count(1)
LONG_STEPS = 100

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """Open one for all tests: each reads the certificates anew."""
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        yield client


@dataclass(slots=True)
class ComfyUIProcess:
    """Is a stand-in that can be killed and started again at its address."""

    http: httpx.Client
    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start a server that takes a second or so for each job."""
        self.folder.mkdir(exist_ok=True)
        command = ("-m", "civitai_mock", "comfyui", "--port", str(self.port))
        environment = {"SIMULATION_PROFILE": "realistic", "SIMULATION_PICTURES": "blank"}
        self.process = start(self.folder, environment, command=command)

    def wait(self) -> None:
        """Wait until it answers."""
        assert self.process is not None
        wait_for(f"{self.url}/system_stats", self.process, time.perf_counter())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)

    def prompts(self) -> dict[str, dict[str, Any]]:
        """Return what was done with each prompt since the start."""
        found: dict[str, dict[str, Any]] = self.http.get(f"{self.url}/standin").raise_for_status().json()["prompts"]
        return found

    def runs_something(self) -> bool:
        return any(facts["started"] > len(facts["outcomes"]) for facts in self.prompts().values())


@contextmanager
def comfyuis(http: httpx.Client, folder: Path, number: int = 1) -> Iterator[Sequence[ComfyUIProcess]]:
    with ExitStack() as stack:
        servers = [ComfyUIProcess(http, folder / f"comfyui-{index}") for index in range(number)]
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.wait()
        yield servers


@contextmanager
def mock(
    http: httpx.Client, folder: Path, servers: Sequence[ComfyUIProcess], *arguments: str, **settings: str
) -> Iterator[JobClient]:
    environment = {
        "COMFY_HTTP_URL": ",".join(server.url for server in servers),
        "SCHEDULER_LEASE_MS": "1000",
        "SCHEDULER_POLL_MS": "50",
        "LOG_LEVEL": "debug",
        **settings,
    }
    with running(folder, environment, command=("-m", "civitai_mock", *arguments)) as server:
        yield JobClient(http, server)


@contextmanager
def beside(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a scheduler in a process of its own, and end it in good order."""
    scheduler = start(folder, environment, command=("-m", "civitai_mock", "scheduler"))
    try:
        yield
    finally:
        scheduler.terminate()
        assert scheduler.wait(PATIENCE_SECONDS) == 0


def submit(client: JobClient, number: int = 1, **params: int) -> list[str]:
    """Submit jobs of different images, so that nothing is cached."""
    templates = [{**TEMPLATE, "params": {**PARAMS, **params, "seed": next(SEEDS)}} for _ in range(number)]
    return client.submit(templates=templates)


def wait_until_succeeded(client: JobClient, job_id: str) -> dict[str, Any]:
    """Return the status of a job that has succeeded, with an image that can be fetched."""
    (status,) = client.wait_until_ended([job_id])
    assert status["lastEvent"]["type"] == "Succeeded", status
    assert client.http.get(status["result"][0]["blobUrl"]).content.startswith(b"\x89PNG")
    return status


def has_logged(server: Server, job_id: str, stage: str) -> bool:
    wanted = {"event": "stage done", "stage": stage, "job_id": job_id}
    lines = [json.loads(text) for text in server.log.splitlines() if text.startswith("{") and text.endswith("}")]
    return any(wanted.items() <= line.items() for line in lines)


def test_a_mock_that_is_killed_at_any_stage_runs_the_job_once(http: httpx.Client, tmp_path: Path) -> None:
    with comfyuis(http, tmp_path) as servers, ExitStack() as lives:
        client = lives.enter_context(mock(http, tmp_path, servers))
        for number, stage in enumerate(STAGES, start=1):
            (job_id,) = submit(client)
            poll_until(lambda: has_logged(client.server, job_id, stage))  # noqa: B023 - waited for at once
            client.server.kill()
            client = lives.enter_context(mock(http, tmp_path, servers))
            wait_until_succeeded(client, job_id)
            prompts = servers[0].prompts().values()
            assert [(facts["started"], facts["outcomes"]) for facts in prompts] == [(1, ["success"])] * number, stage


def test_a_server_that_is_killed_in_the_middle_of_a_job_gets_it_again(http: httpx.Client, tmp_path: Path) -> None:
    """An API in a process of its own looks on, and leaves the prompts alone."""
    with comfyuis(http, tmp_path) as (comfyui,), mock(http, tmp_path, [comfyui], "api") as client:
        with beside(tmp_path, {"COMFY_HTTP_URL": comfyui.url, "SCHEDULER_POLL_MS": "20"}):
            (job_id,) = submit(client)
            poll_until(comfyui.runs_something)
            comfyui.kill()
            comfyui.start()
            assert wait_until_succeeded(client, job_id)["lastEvent"]["retryAttempt"] == 1
        (facts,) = comfyui.prompts().values()
        assert (facts["accepted"], facts["outcomes"]) == (1, ["success"])
        poll_until(lambda: _worker(client)["ready"])
        assert "inFlight" not in _worker(client)


def _worker(client: JobClient) -> dict[str, Any]:
    """Return the one ComfyUI server as this process sees it, which asks it now and then."""
    (worker,) = client.http.get(f"{client.server.url}/health").json()["workers"]
    return dict(worker)


def test_no_job_is_lost_when_both_servers_are_killed_in_turn(http: httpx.Client, tmp_path: Path) -> None:
    with comfyuis(http, tmp_path, 2) as both, mock(http, tmp_path, both) as client:
        job_ids = submit(client, 4)
        for comfyui in both:
            poll_until(comfyui.runs_something)
            comfyui.kill()
            comfyui.start()
        for job_id in job_ids:
            wait_until_succeeded(client, job_id)


@pytest.mark.long
def test_prompts_that_are_found_again_cost_no_retry_however_often_the_mock_is_killed(
    http: httpx.Client, tmp_path: Path
) -> None:
    """One prompt runs and two wait behind it; each life of the mock is long enough to claim and find all of them."""
    with comfyuis(http, tmp_path) as (comfyui,), ExitStack() as lives:
        http.post(f"{comfyui.url}/standin/faults", json={"stuck": True}).raise_for_status()
        client = lives.enter_context(mock(http, tmp_path, [comfyui]))
        job_ids = submit(client, 3)
        for kills in range(1, 8):
            for job_id in job_ids:
                poll_until(lambda: _times_sent(client, job_id) == kills)  # noqa: B023 - waited for at once
            client.server.kill()
            client = lives.enter_context(mock(http, tmp_path, [comfyui]))
        http.delete(f"{comfyui.url}/standin/faults").raise_for_status()
        for job_id in job_ids:
            assert wait_until_succeeded(client, job_id)["lastEvent"]["retryAttempt"] == 0
            assert client.event_types(job_id).count("ClaimExpired") == 7
        assert [facts["accepted"] for facts in comfyui.prompts().values()] == [1, 1, 1]


def _times_sent(client: JobClient, job_id: str) -> int:
    """Count how often the job was claimed, prepared, and then sent or found again."""
    lives = "".join({"Claimed": "c", "Updated": "u"}.get(event, "-") for event in client.event_types(job_id))
    return lives.count("cuu")


def test_a_job_that_ends_while_no_scheduler_is_there_leaves_no_prompt_running(
    http: httpx.Client, tmp_path: Path
) -> None:
    with comfyuis(http, tmp_path) as (comfyui,), mock(http, tmp_path, [comfyui], "api") as client:
        environment = {"COMFY_HTTP_URL": comfyui.url, "SCHEDULER_POLL_MS": "20"}
        scheduler = start(tmp_path, environment, command=("-m", "civitai_mock", "scheduler"))
        (job_id,) = submit(client, steps=LONG_STEPS)
        poll_until(comfyui.runs_something)
        scheduler.kill()
        scheduler.wait(PATIENCE_SECONDS)
        http.delete(f"{client.server.url}{JOBS}/{job_id}").raise_for_status()
        with beside(tmp_path, environment):
            poll_until(lambda: not comfyui.runs_something())
        (facts,) = comfyui.prompts().values()
        assert facts["outcomes"] == ["interrupted"]
