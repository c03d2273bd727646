"""Progress modes with several processes on one store, whose looks and orders race, and which are killed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.mongo import mongo_address
from tests.support.process import PATIENCE_SECONDS, Server, poll_until, running, short_leases, start

JOBS = "/v1/consumer/jobs"
TEMPLATE = {
    "$type": "textToImage",
    "model": "urn:air:sdxl:checkpoint:civitai:101055@128078",
    "params": {"prompt": "a fox", "width": 64, "height": 64},
}
POLLS = {"x-mock-progress": "polls; each=3"}
TYPES = ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
OPEN = {"SIMULATION_PICTURES": "blank", "ADMIN": "open", "MISSING_RESOURCES": "lenient"}
API, SCHEDULER = ("-m", "civitai_mock", "api"), ("-m", "civitai_mock", "scheduler")

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(params=["file", pytest.param("mongo", marks=pytest.mark.mongo)])
def store(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return the settings of servers on one store."""
    if request.param == "file":
        yield OPEN
        return
    with asyncio.Runner() as runner:
        opening = mongo_address()
        address = runner.run(opening.__aenter__())
        yield {**OPEN, "MONGODB_URI": address.uri, "MONGODB_DB_NAME": address.database}
        runner.run(opening.__aexit__(None, None, None))


def rank(event: Any) -> int:
    return TYPES.index(event["type"]) + ("comfy_prompt_response" in event["context"] and event["type"] == "Updated")


def submit(server: Server, headers: dict[str, str], **changes: Any) -> str:
    answer = httpx.post(server.url + JOBS, json=TEMPLATE | changes, headers=headers, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


def look(server: Server, job_id: str) -> int:
    return rank(httpx.get(f"{server.url}{JOBS}/{job_id}", timeout=PATIENCE_SECONDS).json()["lastEvent"])


@contextmanager
def scheduling(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    process = start(folder, environment, command=SCHEDULER)
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


@contextmanager
def two_apis(folder: Path, store: dict[str, str]) -> Iterator[list[Server]]:
    with running(folder, store, command=API) as first, running(folder, store, command=API) as second:
        yield [first, second]


async def poll(servers: list[Server], job_id: str) -> list[list[int]]:
    """Return what 20 pollers see of a job, each of whom asks one of the servers in turn."""

    async def one(number: int, http: httpx.AsyncClient) -> list[int]:
        seen: list[int] = []
        while not seen or seen[-1] != 4:
            server = servers[(number + len(seen)) % len(servers)]
            seen.append(rank((await http.get(f"{server.url}{JOBS}/{job_id}")).json()["lastEvent"]))
        return seen

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        return await asyncio.gather(*(one(number, http) for number in range(20)))


def event_types(server: Server, job_id: str) -> list[str]:
    details = httpx.get(f"{server.url}/_mock/jobs/{job_id}", timeout=PATIENCE_SECONDS).json()
    return [event["type"] for event in details["events"]]


def test_pollers_of_two_servers_see_every_stage_together_and_none_goes_backwards(
    tmp_path: Path, store: dict[str, str]
) -> None:
    with scheduling(tmp_path, store), two_apis(tmp_path, store) as servers:
        jobs = [submit(servers[0], POLLS) for _ in range(5)]
        for job_id in jobs:
            seen = asyncio.run(poll(servers, job_id))
            assert all(ranks == sorted(ranks) for ranks in seen)
            shown = Counter(stage for ranks in seen for stage in ranks)
            assert all(shown[stage] >= 3 for stage in range(4))
            assert event_types(servers[1], job_id) == TYPES


def test_a_poll_loop_goes_on_after_kill_9_and_sees_every_stage(tmp_path: Path, store: dict[str, str]) -> None:
    seen = []
    with running(tmp_path, store) as server:
        job_id = submit(server, POLLS)
    for _ in range(5):
        with running(tmp_path, store) as server:
            seen += [look(server, job_id) for _ in range(3)]
            types = event_types(server, job_id)
            server.kill()
    assert seen == [stage for stage in range(5) for _ in range(3)]
    assert types == TYPES


def test_of_orders_to_two_servers_each_moves_the_job_one_stage(tmp_path: Path, store: dict[str, str]) -> None:
    async def order_all(servers: list[Server], job_id: str) -> list[int]:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            urls = [f"{server.url}/_mock/jobs/{job_id}/advance" for server in servers * 4]
            return [answer.status_code for answer in await asyncio.gather(*(http.post(url, json={}) for url in urls))]

    with two_apis(tmp_path, store) as servers:
        jobs = [submit(servers[0], {"x-mock-progress": "manual"}) for _ in range(5)]
        for job_id in jobs:
            assert sorted(asyncio.run(order_all(servers, job_id))) == [200] * 4 + [409] * 4
            assert event_types(servers[1], job_id) == TYPES


def test_a_mode_is_obeyed_by_all_processes_when_the_answer_comes(tmp_path: Path, store: dict[str, str]) -> None:
    mode = {"mode": "polls", "each": 3}

    def is_obeyed(server: Server) -> bool:
        """Set the mode, again if a process took too long on a busy machine."""
        answer = httpx.put(f"{server.url}/_mock/progress", json=mode, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200
        return bool(answer.json() == mode)

    with scheduling(tmp_path, store), two_apis(tmp_path, store) as (first, second):
        poll_until(lambda: is_obeyed(first))
        job_id = submit(second, {})
        assert [look(second, job_id) for _ in range(7)] == [0, 0, 0, 1, 1, 1, 2]
        answer = httpx.request("DELETE", f"{second.url}/_mock/progress", json={}, timeout=PATIENCE_SECONDS)
        assert answer.status_code < 300
        poll_until(lambda: look(first, job_id) == 4)
        assert event_types(first, job_id) == TYPES


def test_a_stage_lasts_as_long_as_it_is_told_though_its_worker_is_killed(tmp_path: Path, store: dict[str, str]) -> None:
    timed = {"x-mock-progress": "time; SENT_TO_COMFY=4s"}
    settings = {**store, **short_leases(lease_ms=1000, prompt_ms=0)}
    with running(tmp_path, settings) as server:
        job_id = submit(server, timed)
        poll_until(lambda: look(server, job_id) == 3)
        server.kill()
    with running(tmp_path, settings) as server:
        poll_until(lambda: event_types(server, job_id)[-1] == "Succeeded")
        events = httpx.get(f"{server.url}/_mock/jobs/{job_id}", timeout=PATIENCE_SECONDS).json()["events"]
    assert "ClaimExpired" in [event["type"] for event in events]
    assert events[-1]["jobDuration"] >= "00:00:04"
