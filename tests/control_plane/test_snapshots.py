"""Snapshots in every layout of processes: of what goes on, raced, and over restarts and crashes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import JobCriteria
from civitai_mock.ports import Stores
from tests.support.deployment import Deployment
from tests.support.served_app import JOBS, Opened, make_settings, serve_all, template
from tests.support.sqlite_process import SNAPSHOT_SUFFIX, other_process
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

MOMENT = "2026-11-26T10:00:00Z"
SLOW = {"mode": "time", "stages": {"CLAIMED": "10s", "SENT_TO_COMFY": "1m"}}
RACES = 20


def in_namespace(name: str) -> dict[str, str]:
    return {"X-Mock-Namespace": name}


async def ask(client: httpx.AsyncClient, method: str, path: str, name: str = "a", body: Any = None) -> Any:
    answer = await client.request(method, path, json=body, headers=in_namespace(name))
    assert answer.status_code in {200, 202, 204}, answer.text
    return answer.json() if answer.content else None


async def save(client: httpx.AsyncClient, name: str = "a") -> bytes:
    answer = await client.get(f"/_mock/namespaces/{name}/snapshot")
    assert answer.status_code == 200, answer.text
    return answer.content


async def restore(client: httpx.AsyncClient, name: str, snapshot: bytes) -> None:
    headers = {"Content-Type": "application/zip"}
    answer = await client.put(f"/_mock/namespaces/{name}/snapshot", content=snapshot, headers=headers)
    assert answer.status_code == 204, answer.text


async def stand_still(client: httpx.AsyncClient, name: str = "a") -> None:
    await ask(client, "PUT", "/_mock/clock", name, {"mode": "frozen", "now": MOMENT})
    await ask(client, "PUT", "/_mock/progress", name, SLOW)


async def advance(client: httpx.AsyncClient, name: str, by: str) -> None:
    advanced = await ask(client, "POST", "/_mock/clock/advance", name, {"by": by})
    assert advanced["status"] == "ready"


async def jobs_of(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """Return the events of all jobs of a namespace by id, without whom they had for a worker."""
    items = (await ask(client, "GET", "/_mock/jobs?take=1000", name))["items"]
    details = await asyncio.gather(*(ask(client, "GET", f"/_mock/jobs/{item['jobId']}", name) for item in items))
    return {found["jobId"]: _plain(found) for found in details}


def _plain(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(event["type"], event["dateTime"]) for event in found["events"]]


async def test_jobs_go_on_from_the_stage_that_they_had_come_to(deployment: Deployment) -> None:
    """Where the clock stands nothing changes, though workers have them; and then all goes as it would have gone."""
    client = deployment.client
    await stand_still(client)
    for _ in range(3):
        await ask(client, "POST", JOBS, "a", template())
    await ask(client, "POST", WORKFLOWS, "a", workflow(image()))
    await advance(client, "a", "15s")
    before = await jobs_of(client, "a")
    assert {events[-1][0] for events in before.values()} == {"Updated"}
    await restore(client, "b", await save(client))
    assert await jobs_of(client, "b") == before
    for name in ("a", "b"):
        await advance(client, name, "5s")
    assert await jobs_of(client, "b") == before
    for name in ("a", "b"):
        await advance(client, name, "10m")
    ended = await jobs_of(client, "a")
    assert {events[-1][0] for events in ended.values()} == {"Succeeded"}
    assert await jobs_of(client, "b") == ended


async def test_what_is_saved_while_much_goes_on_is_whole_and_goes_on(deployment: Deployment) -> None:
    client = deployment.client
    first = await asyncio.gather(*(ask(client, "POST", JOBS, "a", template()) for _ in range(100)))
    more = [ask(client, "POST", JOBS, "a", template()) for _ in range(100)]
    snapshot, *_ = await asyncio.gather(save(client), *more)
    await restore(client, "b", snapshot)
    await ask(client, "PUT", "/_mock/clock", "b", {"mode": "frozen"})
    await advance(client, "b", "1h")
    found = await jobs_of(client, "b")
    assert {job["jobId"] for job in first} <= found.keys()
    assert {events[-1][0] for events in found.values()} == {"Succeeded"}
    assert {len([kind for kind, _ in events if kind == "Succeeded"]) for events in found.values()} == {1}


async def test_a_restore_and_a_reset_at_once_leave_all_or_nothing(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/progress", "a", {"mode": "manual"})
    for _ in range(5):
        await ask(client, "POST", JOBS, "a", template())
    snapshot, before = await save(client), await jobs_of(client, "a")
    for number in range(RACES):
        resets = [ask(client, "POST", "/_mock/reset", "b", {}) for _ in range(number % 2 + 1)]
        look = client.get("/_mock/jobs", headers=in_namespace("b"))
        looked, *_ = await asyncio.gather(look, restore(client, "b", snapshot), *resets)
        assert looked.status_code in {200, 409}  # as it may have been reset in this moment
        assert await jobs_of(client, "b") in ({}, before)
    await restore(client, "b", snapshot)
    assert await jobs_of(client, "b") == before


async def test_what_was_restored_is_there_after_a_restart(tmp_path: Path) -> None:
    async with serve_all(mongodb_uri=None, data_dir=tmp_path / "store") as opened:
        await fill(opened)
        before = await jobs_of(opened.client, "a")
        await restore(opened.client, "b", await save(opened.client))
    async with serve_all(mongodb_uri=None, data_dir=tmp_path / "store") as opened:
        assert await jobs_of(opened.client, "b") == before
        assert (await ask(opened.client, "GET", "/_mock/clock", "b"))["now"].startswith("2026-11-26T10:10:00")


async def fill(opened: Opened) -> None:
    await stand_still(opened.client)
    await ask(opened.client, "POST", JOBS, "a", template())
    await advance(opened.client, "a", "10m")


async def test_a_process_that_dies_in_the_middle_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    async with serve_all(mongodb_uri=None, data_dir=directory) as opened:
        await fill(opened)
        before = await jobs_of(opened.client, "a")
        Path(f"{directory}{SNAPSHOT_SUFFIX}").write_bytes(await save(opened.client))
    with other_process("restore", directory) as process:
        assert process.line() == "written"
        process.kill()
    settings = make_settings(mongodb_uri=None, data_dir=directory)
    async with open_runtime(settings) as runtime:
        stores = runtime.stores
        record = await stores.namespaces.get("a")
        assert record is not None
        left = record.epoch + 1
        assert await _has_jobs(stores, left)
        while await stores.namespaces.sweep_over(limit=100):
            pass
        assert not await _has_jobs(stores, left)
    async with serve_all(mongodb_uri=None, data_dir=directory) as opened:
        assert await jobs_of(opened.client, "a") == before


async def _has_jobs(stores: Stores, epoch: int) -> bool:
    return bool(await stores.in_epoch(Epoch("a", epoch)).search.find(JobCriteria(), limit=1))
