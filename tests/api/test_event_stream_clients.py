"""Clients as people have them read the stream of a job from its submission to its end, also behind a proxy."""

import json
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.buffering_proxy import buffering_proxy
from tests.support.process import PATIENCE_SECONDS, Server, poll_until, running
from tests.support.served_app import JOBS, template

pytestmark = pytest.mark.slow
STEPS = 20
Told = dict[str, Any]
Listen = Callable[[str], Iterator[Told]]


def by_httpx(url: str) -> Iterator[Told]:
    with httpx.stream("GET", url, timeout=PATIENCE_SECONDS) as answer:
        yield from _told(answer.iter_lines())


def by_curl(url: str) -> Iterator[Told]:
    command = ["curl", "--silent", "--no-buffer", "--max-time", str(PATIENCE_SECONDS), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        yield from _told(curl.stdout)
    assert curl.returncode == 0


def by_websockets(url: str) -> Iterator[Told]:
    with connect(url.replace("http", "ws", 1), open_timeout=PATIENCE_SECONDS) as socket:
        for message in socket:
            yield json.loads(message)
        assert socket.close_code == 1000


def _told(lines: Iterator[str]) -> Iterator[Told]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server that runs one job at a time, whose clock stands."""
    settings = {"ADMIN": "open", "SCHEDULER_MAX_IN_FLIGHT": "1", "SIMULATION_PICTURES": "blank"}
    with running(tmp_path_factory.mktemp("server"), settings) as started:
        httpx.put(f"{started.url}/_mock/clock", json={"mode": "frozen"}).raise_for_status()
        yield started


@pytest.fixture(scope="module", params=["direct", "behind a proxy"])
def address(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    if request.param == "direct":
        yield server.url
    else:
        with buffering_proxy(server.address) as url:
            yield url


def submit(server: Server) -> str:
    """Submit a job; time goes on, so that jobs are run in the order in which they were submitted."""
    httpx.post(f"{server.url}/_mock/clock/advance", json={"by": "1s"}).raise_for_status()
    job = template(params={**template()["params"], "steps": STEPS})
    return str(httpx.post(server.url + JOBS, json=job).json()["jobId"])


@pytest.mark.parametrize("listen", [by_httpx, by_curl, by_websockets])
def test_a_client_is_told_all_of_a_job_from_its_submission_to_its_end(
    server: Server, address: str, listen: Listen
) -> None:
    running_id, job_id = submit(server), submit(server)
    poll_until(lambda: httpx.get(f"{server.url}/_mock/jobs/{running_id}").json()["stage"] == "SENT_TO_COMFY")
    told = list[Told]()
    for message in listen(f"{address}{JOBS}/{job_id}/events"):
        told.append(message)
        if message["type"] == "queue_position" and message["position"] == 1:
            by = {"by": "10m"}
            httpx.post(f"{server.url}/_mock/clock/advance", json=by, timeout=PATIENCE_SECONDS).raise_for_status()
    stored = httpx.get(f"{server.url}/v1/producer/jobs/{job_id}/events").json()
    assert [message["event"] for message in told if message["type"] == "job"] == stored
    order = list(dict.fromkeys(message["type"] for message in told))
    assert order == ["job", "queue_position", "generation_progress", "generation_complete"]
    assert [message["step"] for message in told if message["type"] == "generation_progress"] == [*range(1, STEPS + 1)]
    assert told[-1]["type"] == "generation_complete"


def test_the_proxy_keeps_back_what_does_not_forbid_it() -> None:
    """Else the test above could not fail."""
    with socket.create_server(("127.0.0.1", 0)) as behind:
        may_end = threading.Event()

        def answer() -> None:
            connection, _ = behind.accept()
            with closing(connection):
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n")
                may_end.wait(PATIENCE_SECONDS)

        thread = threading.Thread(target=answer)
        thread.start()
        host, port = behind.getsockname()
        with buffering_proxy((host, port)) as url, socket.create_connection(_address(url)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert select.select([client], [], [], 0.2) == ([], [], [])
            may_end.set()
            thread.join()
            assert client.recv(1000).endswith(b"data: 1\n\n")


def _address(url: str) -> tuple[str, int]:
    parsed = httpx.URL(url)
    assert parsed.port is not None
    return parsed.host, parsed.port
