"""The stream of events of real processes: who listens comes back to the next one, and hears of what others do."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.support.listener import Told, parse
from tests.support.process import MOCK, Server, running, short_leases
from tests.support.served_app import JOBS, template

MANY, KILLS, CUTS = 500, 2, 100
MOST_BEFORE_A_CUT = 30
JOBS_ONE_BY_ONE, WITHIN_SECONDS = 20, 0.5
MOST_STREAMS = 1000
SETTINGS = {**short_leases(lease_ms=1000, prompt_ms=20), "SCHEDULER_MAX_IN_FLIGHT": "20"}


def listen(server: Server, *, most: int, ended: set[object], cursor: str | None) -> list[Told]:
    """Return what is told until so many messages came, or all jobs have ended."""
    told: list[Told] = []
    text, has_begun = "", False
    headers = {"Last-Event-ID": cursor} if cursor else {}
    with httpx.stream("GET", f"{server.url}/v1/consumer/events", headers=headers, timeout=60) as answer:
        for part in answer.iter_text():
            if not has_begun and cursor is None:  # whoever has the first part is told all that comes now
                jobs = {"jobs": [template() for _ in range(MANY)]}
                httpx.post(server.url + JOBS, json=jobs, timeout=60).raise_for_status()
            has_begun = True
            whole, _, text = (text + part).rpartition("\n\n")
            new = parse(whole)[: most - len(told)]  # the rest is lost with the connection
            told += new
            ended |= {message.data["jobId"] for message in new if message.type == "generation_complete"}
            if len(told) >= most or len(ended) == MANY:
                break
    return told


@pytest.mark.long
def test_who_is_cut_off_a_hundred_times_from_a_server_that_is_killed_twice_misses_nothing_of_500_jobs(
    tmp_path: Path,
) -> None:
    told: list[Told] = []
    ended: set[object] = set()
    random, cuts = Random(7), 0
    for kills in range(KILLS + 1):
        with running(tmp_path, SETTINGS) as server:
            enough = 700 * (kills + 1) if kills < KILLS else 100 * MANY
            while len(ended) < MANY and len(told) < enough:
                cursor = next((message.id for message in reversed(told) if message.id), None)
                most = random.randrange(1, MOST_BEFORE_A_CUT)
                told += listen(server, most=most, ended=ended, cursor=cursor)
                cuts += 1
            if kills < KILLS:
                server.kill()
                continue
            found = [httpx.get(f"{server.url}/v1/producer/jobs/{job_id}/events", timeout=60).json() for job_id in ended]
    assert len(ended) == MANY
    assert cuts >= CUTS
    for events in found:
        mine = [message for message in told if message.data.get("jobId") == events[0]["jobId"]]
        heard = [(message.seq, message.data["event"]) for message in mine if message.type == "job"]
        assert [seq for seq, _ in dict(heard).items()] == list(range(len(events)))
        assert all(events[seq] == event for seq, event in heard if isinstance(seq, int))


@asynccontextmanager
async def on_a_file(_: Path) -> AsyncIterator[dict[str, str]]:
    """Use the file in the folder of the data, as all do."""
    yield {}


@asynccontextmanager
async def on_mongo(_: Path) -> AsyncIterator[dict[str, str]]:
    mongo = pytest.importorskip("tests.support.mongo", exc_type=ImportError)
    async with mongo.mongo_address() as address:
        yield {"MONGODB_URI": address.uri, "MONGODB_DB_NAME": address.database, "SEED_RESOURCES": "true"}


Open = Callable[[Path], AbstractAsyncContextManager[dict[str, str]]]


@pytest.mark.long
@pytest.mark.parametrize(
    "open_store", [on_a_file, pytest.param(on_mongo, marks=pytest.mark.mongo)], ids=["SQLite", "MongoDB"]
)
async def test_who_listens_at_one_process_is_soon_told_what_another_does(tmp_path: Path, open_store: Open) -> None:
    async with open_store(tmp_path) as store:
        settings = {**short_leases(lease_ms=5000, prompt_ms=20), **store}
        late = await asyncio.to_thread(_latenesses, tmp_path, settings)
    assert len(late) >= 2 * JOBS_ONE_BY_ONE
    assert sorted(late)[len(late) // 2] <= 2 * WITHIN_SECONDS
    assert max(late) <= 20 * WITHIN_SECONDS


def _latenesses(folder: Path, settings: dict[str, str]) -> list[float]:
    """Return how late each stored message came at a process that runs nothing, of jobs that another one ran."""
    late: list[float] = []
    with running(folder, settings) as runs, running(folder, settings, command=(*MOCK, "api")) as listens:
        for _ in range(JOBS_ONE_BY_ONE):
            job_id = httpx.post(runs.url + JOBS, json=template(), timeout=60).json()["jobId"]
            url = f"{listens.url}{JOBS}/{job_id}/events"
            with httpx.stream("GET", url, timeout=60) as answer:
                late += [lateness for line in answer.iter_lines() if (lateness := _lateness(line)) is not None]
    return late


def _lateness(line: str) -> float | None:
    told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
    return (datetime.now(UTC) - datetime.fromisoformat(told["at"])).total_seconds() if "cursor" in told else None


@contextmanager
def many_files() -> Iterator[None]:
    """Let this process, and those that it starts, have as many sockets as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.long
def test_a_stop_does_not_wait_for_a_thousand_streams_and_none_more_can_be_open(tmp_path: Path) -> None:
    settings = {"ADMIN": "open", "SHUTDOWN_GRACE_MS": "30000", "SIMULATION_PROFILE": "instant"}
    with many_files(), running(tmp_path, settings) as server, ExitStack() as stack:
        mode = {"mode": "manual"}
        httpx.put(f"{server.url}/_mock/progress", json=mode, timeout=60).raise_for_status()
        job_id = httpx.post(server.url + JOBS, json=template(), timeout=60).json()["jobId"]
        path = f"{JOBS}/{job_id}/events"
        streams = [stack.enter_context(socket.create_connection(server.address, 60)) for _ in range(MOST_STREAMS)]
        for stream in streams:
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.address[0]}\r\n\r\n".encode())
        for stream in streams:
            text = b""
            while b"event: job" not in text:
                text += stream.recv(10_000)
        refused = httpx.get(server.url + path, timeout=60)
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 20
        for stream in streams:
            text = b""
            while part := stream.recv(10_000):
                text += part
            assert text.endswith(b"0\r\n\r\n")  # the end of an answer, and no broken connection
