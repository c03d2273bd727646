"""Namespaces under /_mock: they are made, set, reset and deleted, and what is set for one counts in it alone."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.bootstrap.application import Application
from tests.support.event_loop import until_found
from tests.support.served_app import JOBS, Opened, Served, make_settings, open_app, serve, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

NAMESPACES, RESET = "/_mock/namespaces", "/_mock/reset"
IN_A = {"X-Mock-Namespace": "a"}
EVERYTHING: dict[str, Any] = {
    "seed": 7,
    "tokens": ["one", "two"],
    "balance": {"yellow": 10, "blue": 2.5},
    "progress": {"mode": "polls", "each": 2},
}


async def put(served: Opened, name: str = "a", **members: Any) -> dict[str, Any]:
    answer = await served.client.put(f"{NAMESPACES}/{name}", json=members)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(served: Opened, name: str = "a") -> httpx.Response:
    return await served.client.get(f"{NAMESPACES}/{name}")


async def names(served: Opened) -> list[str]:
    answer = await served.client.get(NAMESPACES)
    return [item["name"] for item in answer.json()["items"]]


async def reset(served: Opened, query: str = "", **headers: str) -> httpx.Response:
    return await served.client.post(f"{RESET}{query}", json={}, headers=headers)


async def submit(served: Opened, base: str = "", **headers: str) -> httpx.Response:
    return await served.client.post(f"{base}{JOBS}", json=template(), headers=headers)


async def status_of(served: Opened, base: str, job_id: str) -> int:
    return (await served.client.get(f"{base}{JOBS}/{job_id}")).status_code


async def test_what_is_set_is_told_back(served: Served) -> None:
    found = await put(served, **EVERYTHING)
    assert found == {"name": "a", **EVERYTHING, "usedAt": found["usedAt"]}
    assert (await get(served)).json() == found
    assert await put(served, **EVERYTHING) == found


async def test_what_is_left_out_is_as_in_a_new_one(served: Served) -> None:
    await put(served, **EVERYTHING)
    found = await put(served, seed=8, tokens=[], balance=None)
    assert found == {"name": "a", "seed": 8, "usedAt": found["usedAt"]}


@pytest.mark.parametrize(
    ("members", "path", "hint"),
    [
        ({"sed": 1}, "sed", "seed"),
        ({"seed": "x"}, "seed", "whole number"),
        ({"tokens": "one"}, "tokens", "list"),
        ({"tokens": [""]}, "tokens", "empty"),
        ({"balance": -1}, "balance", "number"),
        ({"balance": "1"}, "balance", "number"),
        ({"balance": {}}, "balance", "yellow"),
        ({"balance": {"yelow": 1}}, "balance.yelow", "yellow"),
        ({"balance": {"blue": -1}}, "balance.blue", "number"),
        ({"progress": {"mode": "pols"}}, "progress.mode", "polls"),
        ({"progress": "pols"}, "progress.mode", "polls"),
        ({"progress": 1}, "progress", "object"),
    ],
)
async def test_what_is_misspelt_is_refused_with_the_name_that_was_meant(
    served: Served, members: Mapping[str, Any], path: str, hint: str
) -> None:
    answer = await served.client.put(f"{NAMESPACES}/a", json=members)
    assert answer.status_code == 400
    assert hint in " ".join(answer.json()["errors"][path])
    assert (await get(served)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["a%20b", "x" * 65, "%2e%2e"])
async def test_a_name_that_none_can_have_is_refused(served: Served, method: str, name: str) -> None:
    answer = await served.client.request(method, f"{NAMESPACES}/{name}", json=None if method == "GET" else {})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["ns"]


async def test_a_token_leads_into_the_namespace_that_registered_it_last(served: Served) -> None:
    await put(served, tokens=["mine"])
    job_id = (await submit(served, authorization="Bearer mine")).json()["jobId"]
    assert [await status_of(served, base, job_id) for base in ("/ns/a", "")] == [200, 404]
    taken = await served.client.put(f"{NAMESPACES}/b", json={"tokens": ["other", "mine"]})
    assert taken.status_code == 409
    assert "'a'" in taken.json()["detail"]
    assert (await get(served, "b")).status_code == 404
    await put(served, tokens=[])
    await put(served, "b", tokens=["mine"])
    assert (await submit(served, authorization="Bearer mine")).status_code == 202
    assert len((await served.client.get("/_mock/jobs", headers={"X-Test-Id": "b"})).json()["items"]) == 1


async def test_a_list_has_all_of_them_by_name_page_by_page(served: Served) -> None:
    for name in ("c", "a", "b"):
        await put(served, name)
    first = (await served.client.get(f"{NAMESPACES}?take=3")).json()
    assert [item["name"] for item in first["items"]] == ["a", "b", "c"]
    rest = (await served.client.get(f"{NAMESPACES}?take=3&cursor={first['next']}")).json()
    assert [item["name"] for item in rest["items"]] == ["default"]
    assert "next" not in rest


async def test_one_is_made_at_first_use(served: Served) -> None:
    assert await names(served) == ["default"]
    assert (await served.client.get(f"/ns/a{JOBS}/x")).status_code == 404
    assert await names(served) == ["a", "default"]


async def test_strict_servers_have_only_those_that_were_set_up() -> None:
    async with serve(namespaces="strict") as served:
        assert (await submit(served, "/ns/a")).status_code == 404
        assert await names(served) == ["default"]
        await put(served)
        assert (await submit(served, "/ns/a")).status_code == 202


async def test_a_deleted_one_is_gone_with_all_that_was_in_it(served: Served) -> None:
    await put(served, tokens=["mine"], balance=5)
    job_id = (await submit(served, "/ns/a")).json()["jobId"]
    for _ in range(2):
        deleted = await served.client.request("DELETE", f"{NAMESPACES}/a", json={})
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert (await get(served)).status_code == 404
    assert await status_of(served, "/ns/a", job_id) == 404
    assert set((await get(served)).json()) == {"name", "usedAt"}
    default = (await submit(served, authorization="Bearer mine")).json()["jobId"]
    assert await status_of(served, "", default) == 200


async def test_the_default_one_begins_anew_when_it_is_deleted(served: Served) -> None:
    await put(served, "default", tokens=["mine"], balance=5)
    job_id = await served.submit_one()
    assert (await served.client.request("DELETE", f"{NAMESPACES}/default", json={})).status_code == 204
    assert await status_of(served, "", job_id) == 404
    assert (await get(served, "default")).json() == {"name": "default"}


async def test_a_reset_leaves_nothing_but_tokens(served: Served) -> None:
    await put(served, **EVERYTHING)
    jobs = {base: (await submit(served, base)).json()["jobId"] for base in ("", "/ns/a", "/ns/b")}
    answer = await reset(served, **IN_A)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await status_of(served, base, job_id) for base, job_id in jobs.items()] == [200, 404, 200]
    found = (await get(served)).json()
    assert found == {"name": "a", "tokens": EVERYTHING["tokens"], "usedAt": found["usedAt"]}
    assert (await served.client.get("/_mock/jobs", headers=IN_A)).json() == {"items": []}
    assert (await submit(served, "/ns/a")).status_code == 202


async def test_a_reset_is_of_the_default_one_unless_another_is_chosen(served: Served) -> None:
    jobs = {base: (await submit(served, base)).json()["jobId"] for base in ("", "/ns/a")}
    assert (await reset(served)).status_code == 204
    assert [await status_of(served, base, job_id) for base, job_id in jobs.items()] == [404, 200]


async def test_all_are_reset_at_once(served: Served) -> None:
    await put(served, **EVERYTHING)
    await put(served, "b", balance=1)
    jobs = {base: (await submit(served, base)).json()["jobId"] for base in ("", "/ns/a", "/ns/b", "/ns/c")}
    assert (await reset(served, "?all=true", **IN_A)).status_code == 204
    assert [await status_of(served, base, job_id) for base, job_id in jobs.items()] == [404] * 4
    assert [set((await get(served, name)).json()) - {"usedAt"} for name in ("a", "b")] == [{"name", "tokens"}, {"name"}]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", f"{NAMESPACES}/a"), ("DELETE", f"{NAMESPACES}/a"), ("POST", RESET), ("POST", f"{RESET}?all=true")],
)
async def test_a_change_that_a_form_could_send_is_refused(served: Served, method: str, path: str) -> None:
    job_id = await served.submit_one()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused = await served.client.request(method, path, content=b"{}", headers={"content-type": content_type})
        assert refused.status_code == 415
    assert (await served.client.request(method, path, content=b"{}")).status_code == 415
    assert await status_of(served, "", job_id) == 200


@pytest.mark.parametrize(("query", "body"), [("?al=true", {}), ("?all=perhaps", {}), ("", {"all": True})])
async def test_a_misspelt_reset_resets_nothing(served: Served, query: str, body: dict[str, Any]) -> None:
    job_id = await served.submit_one()
    assert (await served.client.post(f"{RESET}{query}", json=body)).status_code == 400
    assert await status_of(served, "", job_id) == 200


async def spend(served: Opened, base: str) -> list[int]:
    """Return the statuses of three submissions of a job of v1, and of a workflow; a job costs 0.96.

    What v2 answers to who has too little is a 400.
    """
    jobs = [(await submit(served, base)).status_code for _ in range(3)]
    bought = await served.client.post(f"{base}{WORKFLOWS}", json=workflow(image()))
    return [*jobs, bought.status_code]


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (2, [202, 202, 403, 400]),
        ({"yellow": 1, "blue": 1}, [202, 202, 403, 400]),
        ({"fakeRed": 100}, [403, 403, 403, 400]),
        (1000, [202, 202, 202, 202]),
    ],
)
async def test_consumers_have_as_much_as_the_namespace_says(served: Served, balance: Any, expected: list[int]) -> None:
    await put(served, balance=balance)
    assert await spend(served, "/ns/a") == expected
    assert await spend(served, "/ns/b") == [202] * 4
    await reset(served, **IN_A)
    assert await spend(served, "/ns/a") == [202] * 4


async def test_what_was_spent_elsewhere_does_not_count() -> None:
    async with serve(buzz_balance=2) as served:
        assert [await spend(served, base) for base in ("", "/ns/a")] == [[202, 202, 403, 400]] * 2
        await reset(served)
        assert await spend(served, "") == [202, 202, 403, 400]
        await put(served, balance=3)
        assert (await submit(served, "/ns/a")).status_code == 202


async def test_there_are_no_more_than_the_settings_allow() -> None:
    """What the store counts is tested there; here it is what is answered."""
    async with serve(namespaces_max=2) as served:
        assert (await submit(served, "/ns/a")).status_code == 202
        for answer in (await submit(served, "/ns/b"), await served.client.put(f"{NAMESPACES}/b", json={})):
            assert answer.status_code == 409, answer.text
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert "NAMESPACES_MAX" in answer.json()["detail"]
        assert (await submit(served, "/ns/a")).status_code == 202


FILE: dict[str, Any] = {"mongodb_uri": None, "blob_signing_key": "a key that is long enough for anybody"}


def process(folder: Path) -> AbstractAsyncContextManager[Opened]:
    """Open an API in real time, by which processes hear of each other."""
    return open_app(Application(make_settings(data_dir=folder, **FILE), with_scheduler=False))


async def test_what_is_set_outlives_the_process(tmp_path: Path) -> None:
    async with process(tmp_path) as served:
        await put(served, tokens=["mine"], balance=1)
        job_id = (await submit(served, authorization="Bearer mine")).json()["jobId"]
    async with process(tmp_path) as served:
        assert await status_of(served, "/ns/a", job_id) == 200
        assert (await submit(served, authorization="Bearer mine")).status_code == 403
        assert (await reset(served, **IN_A)).status_code == 204
    async with process(tmp_path) as served:
        assert await status_of(served, "/ns/a", job_id) == 404
        assert (await submit(served, authorization="Bearer mine")).status_code == 202


async def test_all_processes_obey_a_change_when_it_is_answered(tmp_path: Path) -> None:
    async with process(tmp_path) as here, process(tmp_path) as there:
        assert "notYet" not in await put(here, tokens=["mine"], balance=1)
        statuses = [(await submit(there, authorization="Bearer mine")).status_code for _ in range(2)]
        assert statuses == [202, 403]
        assert (await reset(here, **IN_A)).status_code == 204
        assert (await there.client.get("/_mock/jobs", headers=IN_A)).json() == {"items": []}
        job_id = (await submit(there, authorization="Bearer mine")).json()["jobId"]
        assert await status_of(here, "/ns/a", job_id) == 200
        assert (await here.client.request("DELETE", f"{NAMESPACES}/a", json={})).status_code == 204
        assert await status_of(there, "", (await submit(there, authorization="Bearer mine")).json()["jobId"]) == 200


async def test_a_process_that_does_not_confirm_is_named_in_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitai_mock.services.control_plane.CONFIRM_WITHIN", timedelta(0))
    async with serve(data_dir=tmp_path, **FILE) as served:
        store = served.stores.namespaces
        await store.heartbeat("asleep", revision=0, now=served.clock.now())
        assert (await put(served, balance=1))["notYet"] == ["asleep"]
        for answer in (await reset(served, **IN_A), await served.client.request("DELETE", f"{NAMESPACES}/a", json={})):
            assert (answer.status_code, answer.json()) == (200, {"notYet": ["asleep"]})


async def test_whoever_waits_for_other_processes_is_answered_when_this_one_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitai_mock.services.control_plane.CONFIRM_WITHIN", timedelta(days=1))
    async with serve(data_dir=tmp_path, **FILE) as served:
        await served.stores.namespaces.heartbeat("asleep", revision=0, now=served.clock.now())
        waiting = asyncio.create_task(put(served, balance=1))

        async def is_set() -> bool:
            return (await get(served)).status_code == 200

        await until_found(is_set)
        assert not waiting.done()
        served.application.begin_stop()
        assert (await waiting)["notYet"] == ["asleep"]
        assert (await put(served, balance=2))["notYet"] == ["asleep"]


async def test_a_kept_answer_is_that_of_one_life_of_one_namespace(served: Served) -> None:
    """Two namespaces with one seed, where time stands, have a job with the same id."""
    found: dict[str, str] = {}
    for name in ("a", "b"):
        headers = {"X-Mock-Namespace": name}
        await put(served, name, seed=7, progress={"mode": "manual"})
        await served.client.put("/_mock/clock", json={"mode": "frozen", "now": "2026-01-31T12:00:00Z"}, headers=headers)
        job_id = (await submit(served, f"/ns/{name}")).json()["jobId"]
        done = await served.client.post(f"/_mock/jobs/{job_id}/succeed", json={}, headers=headers)
        assert done.status_code == 200, done.text
        found[name] = job_id
    assert found["a"] == found["b"]
    path = f"{JOBS}/{found['a']}"
    for _ in range(3):
        for name in ("a", "b"):
            answer = await served.client.get(path, headers={"X-Mock-Namespace": name})
            assert f"/ns/{name}/blobs/" in answer.json()["result"][0]["blobUrl"]
    await reset(served, **IN_A)
    asked = [await served.client.get(f"{base}{path}") for base in ("/ns/a", "/ns/b", "")]
    assert [answer.status_code for answer in asked] == [404, 200, 404]
