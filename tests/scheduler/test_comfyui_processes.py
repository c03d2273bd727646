"""Real processes, killed with kill -9: the mock at each stage of a job, and ComfyUI servers in the middle of jobs."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.process import PATIENCE_SECONDS, Server, free_port, running, start, wait_for

if TYPE_CHECKING:
    import subprocess

JOBS = "/v1/consumer/jobs"
STAGES = ("CLAIMED", "PROMPT_PREPARED", "SENT_TO_COMFY", "COMFY_RESULT")
PARAMS = {"prompt": "a fox", "width": 64, "height": 64, "steps": 2}
SEEDS = count(1)
LONG_STEPS = 100
LOOK_SECONDS = 0.01  # between looks at another process, which has no event to wait for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """One for all: each reads the certificates anew."""
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        yield client


@dataclass(slots=True)
class ComfyUIProcess:
    """A stand-in that can be killed and started again at its address."""

    http: httpx.Client
    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """It takes a second or so for each job."""
        self.folder.mkdir(exist_ok=True)
        command = ("-m", "civitai_mock", "comfyui", "--port", str(self.port))
        environment = {"SIMULATION_PROFILE": "realistic", "SIMULATION_PICTURES": "blank"}
        self.process = start(self.folder, environment, command=command)

    def wait(self) -> None:
        """Until it answers."""
        assert self.process is not None
        wait_for(f"{self.url}/system_stats", self.process, time.perf_counter())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)

    def prompts(self) -> dict[str, dict[str, Any]]:
        """What was done with each prompt since the start."""
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
def mock(folder: Path, servers: Sequence[ComfyUIProcess], *arguments: str) -> Iterator[Server]:
    environment = {
        "COMFY_HTTP_URL": ",".join(server.url for server in servers),
        "SCHEDULER_LEASE_MS": "1000",
        "SCHEDULER_POLL_MS": "50",
    }
    with running(folder, environment, command=("-m", "civitai_mock", *arguments)) as server:
        yield server


@contextmanager
def beside(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A scheduler in a process of its own, which ends in good order."""
    scheduler = start(folder, environment, command=("-m", "civitai_mock", "scheduler"))
    try:
        yield
    finally:
        scheduler.terminate()
        assert scheduler.wait(PATIENCE_SECONDS) == 0


def submit(http: httpx.Client, server: Server, number: int = 1, **params: int) -> list[str]:
    """Of different images, so that nothing is cached."""
    model = "urn:air:sd1:checkpoint:civitai:4384@128713"
    templates = [{"model": model, "params": {**PARAMS, **params, "seed": next(SEEDS)}} for _ in range(number)]
    answer = http.post(f"{server.url}{JOBS}", json={"jobs": templates})
    assert answer.status_code == 202, answer.text
    return [job["jobId"] for job in answer.json()["jobs"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(LOOK_SECONDS)


def succeeded(http: httpx.Client, server: Server, job_id: str) -> dict[str, Any]:
    """The status of a job at its good end, with an image that can be fetched."""
    found: dict[str, Any] = {}

    def has_ended() -> bool:
        found.update(http.get(f"{server.url}{JOBS}/{job_id}").raise_for_status().json())
        return bool(found["lastEvent"]["jobHasCompleted"])

    until(has_ended)
    assert found["lastEvent"]["type"] == "Succeeded", found
    assert http.get(found["result"][0]["blobUrl"]).content.startswith(b"\x89PNG")
    return found


def has_logged(server: Server, job_id: str, stage: str) -> bool:
    wanted = {"event": "stage done", "stage": stage, "job_id": job_id}
    lines = [json.loads(text) for text in server.log.splitlines() if text.startswith("{") and text.endswith("}")]
    return any(wanted.items() <= line.items() for line in lines)


def test_a_mock_that_is_killed_at_any_stage_runs_the_job_once(http: httpx.Client, tmp_path: Path) -> None:
    with comfyuis(http, tmp_path) as servers, ExitStack() as lives:
        server = lives.enter_context(mock(tmp_path, servers))
        for number, stage in enumerate(STAGES, start=1):
            (job_id,) = submit(http, server)
            until(lambda: has_logged(server, job_id, stage))  # noqa: B023 - waited for at once
            server.kill()
            server = lives.enter_context(mock(tmp_path, servers))
            succeeded(http, server, job_id)
            prompts = servers[0].prompts().values()
            assert [(facts["started"], facts["outcomes"]) for facts in prompts] == [(1, ["success"])] * number, stage


def test_a_server_that_is_killed_in_the_middle_of_a_job_gets_it_again(http: httpx.Client, tmp_path: Path) -> None:
    """An API in a process of its own looks on, and leaves the prompts alone."""
    with comfyuis(http, tmp_path) as (comfyui,), mock(tmp_path, [comfyui], "api") as server:
        with beside(tmp_path, {"COMFY_HTTP_URL": comfyui.url, "SCHEDULER_POLL_MS": "20"}):
            (job_id,) = submit(http, server)
            until(comfyui.runs_something)
            comfyui.kill()
            comfyui.start()
            assert succeeded(http, server, job_id)["lastEvent"]["retryAttempt"] == 1
        (facts,) = comfyui.prompts().values()
        assert (facts["accepted"], facts["outcomes"]) == (1, ["success"])
        (worker,) = http.get(f"{server.url}/health").json()["workers"]
        assert (worker["ready"], "inFlight" in worker) == (True, False)


def test_no_job_is_lost_when_both_servers_are_killed_in_turn(http: httpx.Client, tmp_path: Path) -> None:
    with comfyuis(http, tmp_path, 2) as both, mock(tmp_path, both) as server:
        job_ids = submit(http, server, 4)
        for comfyui in both:
            until(comfyui.runs_something)
            comfyui.kill()
            comfyui.start()
        for job_id in job_ids:
            succeeded(http, server, job_id)


@pytest.mark.long
def test_prompts_that_are_found_again_cost_no_retry_however_often_the_mock_is_killed(
    http: httpx.Client, tmp_path: Path
) -> None:
    """One prompt runs and two wait behind it; each life of the mock is long enough to claim and find all of them."""
    with comfyuis(http, tmp_path) as (comfyui,), ExitStack() as lives:
        http.post(f"{comfyui.url}/standin/faults", json={"stuck": True}).raise_for_status()
        server = lives.enter_context(mock(tmp_path, [comfyui]))
        job_ids = submit(http, server, 3)
        for kills in range(1, 8):
            for job_id in job_ids:
                until(lambda: _times_sent(http, server, job_id) == kills)  # noqa: B023 - waited for at once
            server.kill()
            server = lives.enter_context(mock(tmp_path, [comfyui]))
        http.delete(f"{comfyui.url}/standin/faults").raise_for_status()
        for job_id in job_ids:
            assert succeeded(http, server, job_id)["lastEvent"]["retryAttempt"] == 0
            assert _events(http, server, job_id).count("ClaimExpired") == 7
        assert [facts["accepted"] for facts in comfyui.prompts().values()] == [1, 1, 1]


def _events(http: httpx.Client, server: Server, job_id: str) -> list[str]:
    events = http.get(f"{server.url}/v1/producer/jobs/{job_id}/events").raise_for_status().json()
    return [event["type"] for event in events]


def _times_sent(http: httpx.Client, server: Server, job_id: str) -> int:
    """Claimed, prepared, and then sent or found again."""
    told = _events(http, server, job_id)
    lives = "".join({"Claimed": "c", "Updated": "u"}.get(event, "-") for event in told)
    return lives.count("cuu")


def test_a_job_that_ends_while_no_scheduler_is_there_leaves_no_prompt_running(
    http: httpx.Client, tmp_path: Path
) -> None:
    with comfyuis(http, tmp_path) as (comfyui,), mock(tmp_path, [comfyui], "api") as server:
        environment = {"COMFY_HTTP_URL": comfyui.url, "SCHEDULER_POLL_MS": "20"}
        scheduler = start(tmp_path, environment, command=("-m", "civitai_mock", "scheduler"))
        (job_id,) = submit(http, server, steps=LONG_STEPS)
        until(comfyui.runs_something)
        scheduler.kill()
        scheduler.wait(PATIENCE_SECONDS)
        http.delete(f"{server.url}{JOBS}/{job_id}").raise_for_status()
        with beside(tmp_path, environment):
            until(lambda: not comfyui.runs_something())
        (facts,) = comfyui.prompts().values()
        assert facts["outcomes"] == ["interrupted"]
