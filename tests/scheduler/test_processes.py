"""The command as a user runs it: start, stop, kill -9, start again."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.domain.stages import JobEventType
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from tests.support.job_client import JobClient
from tests.support.metrics import Scrape
from tests.support.process import PATIENCE_SECONDS, Server, free_port, poll_until, running, start, wait_for

INSTANT = {"SIMULATION_PROFILE": "instant"}
ELSEWHERE = {"MONGODB_URI": "memory://"}

pytestmark = pytest.mark.slow


@contextmanager
def _client(server: Server) -> Iterator[JobClient]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as http:
        yield JobClient(http, server)


def _events(log: str, event: str) -> list[Mapping[str, Any]]:
    return [line for text in log.splitlines() if text.startswith("{") and (line := json.loads(text))["event"] == event]


def test_the_ready_line_says_what_runs_where(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT) as server:
        (ready,) = _events(server.log, "ready")
        assert ready["listen"] == server.url
        assert str(tmp_path) in ready["store"]
        assert "simulat" in ready["provider"].lower()
        assert ready["docs"] == f"{server.url}/docs"


def test_sigterm_ends_the_server_in_good_order(tmp_path: Path) -> None:
    with running(tmp_path, {**INSTANT, "SHUTDOWN_GRACE_MS": "0"}) as server:
        assert server.stop() == 0
        assert "Traceback" not in server.log


@pytest.mark.long
def test_ctrl_c_gives_running_jobs_back_and_the_next_start_finishes_them(tmp_path: Path) -> None:
    with running(tmp_path, {"SIMULATION_PROFILE": "realistic", "SHUTDOWN_GRACE_MS": "0"}) as server:
        with _client(server) as client:
            job_ids = client.submit(3)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    with running(tmp_path, INSTANT) as server, _client(server) as client:
        statuses = client.wait_until_ended(job_ids)
    assert {status["lastEvent"]["type"] for status in statuses} == {"Succeeded"}
    assert {status["lastEvent"]["retryAttempt"] for status in statuses} == {0}


def test_after_kill_9_every_accepted_job_finishes_with_exactly_one_succeeded_event(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT) as server, _client(server) as client:
        job_ids = client.submit(60)
        client.status(job_ids[0])
        server.kill()
    with running(tmp_path, INSTANT) as server, _client(server) as client:
        statuses = client.wait_until_ended(job_ids)
        image = client.http.get(statuses[-1]["result"][0]["blobUrl"])
        assert image.content.startswith(b"\x89PNG")
    assert {status["lastEvent"]["type"] for status in statuses} == {"Succeeded"}
    assert asyncio.run(_succeeded_events(tmp_path / "data", job_ids)) == job_ids


async def _succeeded_events(directory: Path, job_ids: list[str]) -> list[str]:
    """Return the job of each Succeeded event; a log line may be missing, as the kill can fall between the two."""
    async with open_sqlite(directory=directory, names=TableNames()) as stores:
        events = [event for job_id in job_ids for event in await stores.jobs.events(job_id)]
    return [event.job_id for event in events if event.type is JobEventType.SUCCEEDED]


@pytest.mark.long
def test_an_api_and_two_schedulers_share_one_file(tmp_path: Path) -> None:
    schedulers = [
        start(tmp_path, {**INSTANT, "SCHEDULER_POLL_MS": "20"}, command=("-m", "civitai_mock", "scheduler"))
        for _ in range(2)
    ]
    try:
        with running(tmp_path, INSTANT, command=("-m", "civitai_mock", "api")) as server, _client(server) as client:
            job_ids = client.submit(30)
            statuses = client.wait_until_ended(job_ids)
            assert {status["lastEvent"]["retryAttempt"] for status in statuses} == {0}
            poll_until(lambda: len(_events(server.log, "job done")) >= len(job_ids))  # a line follows its write
            assert sorted(line["job_id"] for line in _events(server.log, "job done")) == sorted(job_ids)
    finally:
        for scheduler in schedulers:
            scheduler.terminate()
        ends = {scheduler.wait(PATIENCE_SECONDS) for scheduler in schedulers}
    assert ends <= {0, 143}  # the second is for one that was still starting


@pytest.mark.long
def test_a_scheduler_answers_health_and_metrics_on_a_port_of_its_own(tmp_path: Path) -> None:
    port = free_port()
    scheduler = start(tmp_path, {**INSTANT, "METRICS_PORT": str(port)}, command=("-m", "civitai_mock", "scheduler"))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/health/ready", scheduler, time.perf_counter())
        with running(tmp_path, INSTANT, command=("-m", "civitai_mock", "api")) as server, _client(server) as client:
            client.wait_until_ended(client.submit(3))
        found = Scrape(httpx.get(f"{url}/metrics", timeout=PATIENCE_SECONDS).text)
        statuses = {
            path: httpx.get(url + path, timeout=PATIENCE_SECONDS).status_code
            for path in ("/health", "/health/live", "/v1/consumer/jobs", "/")
        }
    finally:
        scheduler.terminate()
        end = scheduler.wait(PATIENCE_SECONDS)
    assert found.by_labels("jobs_ended_total") == {("SUCCEEDED", "COMFY_RESULT"): 3}
    assert statuses == {"/health": 200, "/health/live": 200, "/v1/consumer/jobs": 404, "/": 404}
    assert end == 0


def test_a_scheduler_whose_port_is_taken_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _run(tmp_path, {"METRICS_PORT": str(port)}, "scheduler")
    (line,) = _events(ended.stdout, "ended")
    assert ended.returncode == 1
    assert line["reason"].startswith(f"cannot listen on 127.0.0.1 port {port}: Address already in use")


def _run(folder: Path, environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    process = start(folder, environment, command=("-m", "civitai_mock", *arguments))
    status = process.wait(PATIENCE_SECONDS)
    return subprocess.CompletedProcess(arguments, status, (folder / "server.log").read_text("utf-8"))


@pytest.mark.parametrize(
    ("environment", "status", "said"),
    [
        ({"PORT": "http"}, 2, "PORT: found 'http', expected a number from 1 to 65535"),
        pytest.param({"DATA_DIR": "/dev/null/x"}, 1, "/dev/null/x", marks=pytest.mark.long),
        ({"MONGODB_URI": "mongodb://user:secret@127.0.0.1:1"}, 1, "127.0.0.1:1"),
    ],
)
def test_a_start_that_cannot_work_is_one_line(
    tmp_path: Path, environment: Mapping[str, str], status: int, said: str
) -> None:
    ended = _run(tmp_path, {"PORT": str(free_port()), **environment})
    assert ended.returncode == status
    assert said in ended.stdout
    assert "secret" not in ended.stdout
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.long
def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT) as server:
        folder = tmp_path / "second"
        folder.mkdir()
        ended = _run(folder, {"PORT": str(server.port)})
    assert ended.returncode == 1
    assert f"port {server.port}" in ended.stdout
    assert len(ended.stdout.splitlines()) == 1


def test_healthcheck_says_by_its_exit_status_whether_a_server_runs(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT) as server:
        assert _run(tmp_path, {"PORT": str(server.port)}, "healthcheck").returncode == 0
    assert _run(tmp_path, {"PORT": str(free_port())}, "healthcheck").returncode == 1


def test_seed_adds_what_is_missing_and_can_be_run_again(tmp_path: Path) -> None:
    first = _run(tmp_path, {}, "seed").stdout
    second = _run(tmp_path, {}, "seed").stdout.removeprefix(first)
    assert first.startswith(second.split(" were", maxsplit=1)[0].rsplit(" ", 1)[1])
    assert second.startswith("0 resources added")


@pytest.mark.long
def test_reload_serves_as_ever_in_a_new_process_for_each_change(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT, command=("-m", "civitai_mock", "--reload")) as server:
        with _client(server) as client:
            assert client.http.get("/", headers={"x-long": "x" * 100_000}).status_code == 431
        (tmp_path / "changed.py").touch()
        poll_until(lambda: len(_events(server.log, "ready")) == 2)
        with _client(server) as client:
            assert client.http.get("/health").status_code == 200
        assert _run(tmp_path, {"PORT": str(server.port), **ELSEWHERE}, "--reload").returncode == 1
        assert server.stop() == 0
    assert f"cannot listen on 127.0.0.1 port {server.port}: Address already in use" in server.log


@pytest.mark.long
def test_jobs_run_on_a_comfyui_server(tmp_path: Path) -> None:
    port = free_port()
    comfyui = start(tmp_path, INSTANT, command=("-m", "civitai_mock", "comfyui", "--port", str(port)))
    try:
        wait_for(f"http://127.0.0.1:{port}/system_stats", comfyui, time.perf_counter())
        environment = {"COMFY_HTTP_URL": f"http://127.0.0.1:{port}/prompt"}
        with running(tmp_path, environment) as server, _client(server) as client:
            (status,) = client.wait_until_ended(client.submit(1))
            assert status["lastEvent"]["context"]["worker"] == f"127.0.0.1:{port}"
            assert client.http.get(status["result"][0]["blobUrl"]).content.startswith(b"\x89PNG")
        comfyui.terminate()
        assert comfyui.wait(PATIENCE_SECONDS) == 0
    finally:
        comfyui.kill()


def test_the_installed_command_is_the_module(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("civitai-mock")
    asked = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    module = _run(tmp_path, {}, "--version")
    assert asked.stdout.strip() == module.stdout.strip() != ""
