"""A suite verifies what its app has asked for, waits for what is still to come, and is told how it differs."""

import asyncio
import base64
from typing import Any

import httpx
import pytest

from civitai_mock.services.journal.questions import MANY
from tests.support.served_app import CHECKPOINT, JOBS, Opened, Served, serve, serve_all, template

VERIFY = "/_mock/verify"
WORKFLOWS = "/v2/consumer/workflows"
V2 = {"steps": [{"$type": "textToImage", "input": {"prompt": "a quiet harbour", "model": CHECKPOINT}}]}
JSON = {"content-type": "application/json"}
JOB = f"{JOBS}/{{jobId}}"


async def _verify(client: httpx.AsyncClient, headers: dict[str, str] | None = None, /, **expected: Any) -> Any:
    answer = await client.post(VERIFY, json=expected, headers=headers)
    assert answer.status_code in {200, 409}, answer.text
    return {**answer.json(), "status": answer.status_code}


async def _ask(client: httpx.AsyncClient) -> str:
    submitted = await client.post(JOBS, json=template(), headers={"x-app": "mine"})
    job_id = submitted.json()["jobs"][0]["jobId"]
    for _ in range(3):
        await client.get(f"{JOBS}/{job_id}")
    await client.post(f"{WORKFLOWS}?whatif=true", json=V2)
    await client.get("/ns/other/v1/nowhere")
    return str(job_id)


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ({}, 5),
        ({"method": "GET"}, 3),
        ({"method": "post"}, 2),
        ({"route": JOB}, 3),
        ({"route": JOBS, "method": "POST"}, 1),
        ({"$type": "textToImage"}, 2),
        ({"model": CHECKPOINT}, 2),
        ({"ecosystem": "sdxl"}, 2),
        ({"prompt": {"contains": "HARBOUR"}}, 1),
        ({"prompt": {"pattern": "^a (fox|cat)$"}}, 1),
        ({"header": {"X-App": "mine"}}, 1),
        ({"imageGiven": False}, 2),
        ({"imageGiven": True}, 0),
        ({"route": WORKFLOWS}, 1),
    ],
)
async def test_requests_are_matched_by_the_words_of_rules(
    client: httpx.AsyncClient, match: dict[str, Any], count: int
) -> None:
    await _ask(client)
    assert await _verify(client, match=match, count=count) == {"status": 200, "count": count}
    assert (await _verify(client, match=match, count=count + 1))["status"] == 409


async def test_what_did_not_come_is_told_with_the_nearest_requests(client: httpx.AsyncClient) -> None:
    job_id = await _ask(client)
    told = await _verify(client, match={"method": "GET", "route": JOB, "header": {"x-app": "mine"}}, count={"min": 2})
    assert (told["status"], told["code"], told["expected"], told["actual"]) == (409, "not_verified", {"min": 2}, 0)
    assert "incomplete" not in told
    assert [near["method"] for near in told["nearest"]] == ["GET"] * 3
    assert {near["path"] for near in told["nearest"]} == {f"{JOBS}/{job_id}"}
    assert {near["difference"] for near in told["nearest"]} == {"match.header.x-app: expected 'mine', found none"}
    assert "found 0" in told["detail"]
    journal = {item["id"] for item in (await client.get("/_mock/journal")).json()["items"]}
    assert {near["id"] for near in told["nearest"]} <= journal


async def test_order_is_that_in_which_requests_came(client: httpx.AsyncClient) -> None:
    await _ask(client)
    post, get = {"method": "POST", "route": JOBS}, {"method": "GET"}
    assert (await _verify(client, order=[post, get, get]))["status"] == 200
    told = await _verify(client, order=[get, post])
    assert (told["status"], told["expected"], told["actual"]) == (409, [get, post], 1)
    assert told["nearest"][0]["difference"] == f"order[1].route: expected '{JOBS}', found '{WORKFLOWS}'"


@pytest.mark.parametrize(
    "expected",
    [{"macth": {}}, {"match": {"route": "/v1/consumer/job"}}, {"order": [{"route": "/nowhere"}]}, {"count": -1}],
)
async def test_what_is_misspelt_is_a_400(client: httpx.AsyncClient, expected: dict[str, Any]) -> None:
    answer = await client.post(VERIFY, json=expected)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]


async def test_a_route_that_only_the_description_has_is_known(client: httpx.AsyncClient) -> None:
    route = "/v2/consumer/recipes/textToImage"
    assert (await _verify(client, match={"route": route}, count=0))["status"] == 200


async def test_a_refused_request_is_matched_by_its_route_and_body() -> None:
    async with serve(auth="any") as served:
        await served.client.post(JOBS, json=template())
        await served.client.get(f"/ns/default/compat/official{JOBS}/nothing")
        assert (await _verify(served.client, match={"route": JOBS, "method": "POST"}, count=1))["status"] == 200
        assert (await _verify(served.client, match={"route": JOB}, count=1))["status"] == 200


async def test_what_faults_did_to_a_request_does_not_hide_what_it_asked_for(client: httpx.AsyncClient) -> None:
    await client.post("/_mock/faults", json={"match": {"method": "POST"}, "action": {"status": 503}, "times": 1})
    assert (await client.post(JOBS, json=template())).status_code == 503
    assert (await client.post(JOBS, json=template())).status_code == 202
    assert (await _verify(client, match={"prompt": {"contains": "fox"}, "$type": "textToImage"}, count=2))[
        "status"
    ] == 200
    items = (await client.get("/_mock/journal?method=POST")).json()["items"]
    (rule,) = (await client.get("/_mock/faults")).json()["items"]
    assert [item.get("fault") for item in items] == [None, rule["id"]]
    assert [item["rules"] for item in items] == [
        [{"id": rule["id"], "matched": False, "failed": "times"}],
        [{"id": rule["id"], "matched": True}],
    ]


async def test_a_large_body_is_matched_by_what_it_asked_for(client: httpx.AsyncClient) -> None:
    image = "data:image/png;base64," + base64.b64encode(bytes(60_000)).decode()
    answer = await client.post(JOBS, json=template(params={"prompt": "a large fox", "image": image}))
    assert answer.status_code < 500
    assert (await client.get("/_mock/journal")).json()["items"][0]["request"]["bodyIs"] == "large"
    assert (await _verify(client, match={"prompt": {"contains": "large"}}, count=1))["status"] == 200


async def test_the_jobs_of_a_large_answer_are_known(client: httpx.AsyncClient) -> None:
    answer = await client.post(JOBS, json={"$type": "batch", "jobs": [template()] * 100})
    assert answer.status_code == 202, answer.text
    (item,) = (await client.get("/_mock/journal")).json()["items"]
    assert item["response"]["bodyIs"] == "large"
    assert item["jobIds"] == [job["jobId"] for job in answer.json()["jobs"]]


async def test_what_went_from_the_journal_is_incomplete_and_never_passes() -> None:
    async with serve(journal_max_entries=3) as served:
        for _ in range(5):
            await served.client.get("/v1/nowhere")
        told = await _verify(served.client, match={"method": "GET"}, count=3)
        assert (told["status"], told["incomplete"], told["actual"]) == (409, True, 3)
        assert (await _verify(served.client, count={"min": 3}))["status"] == 200
        assert "incomplete" not in await _verify(served.client, count=2)
        await served.client.request("DELETE", "/_mock/journal", headers=JSON)
        assert (await _verify(served.client, count=0))["status"] == 200


async def test_without_a_journal_nothing_is_verified() -> None:
    async with serve(journal_max_entries=0) as served:
        assert (await _verify(served.client, count=0))["code"] == "conflict"


async def _began(served: Opened, **expected: Any) -> "asyncio.Task[Any]":
    """Return a verification that waits already."""
    waiting = served.namespace.looking_in.verify._waiting
    before = len(waiting)
    task = asyncio.create_task(_verify(served.client, **expected))
    while len(waiting) == before:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
    return task


async def test_whoever_waits_is_answered_when_the_last_request_has_come(
    client: httpx.AsyncClient, served: Served
) -> None:
    waiting = await _began(served, match={"method": "GET"}, count=2, within="60s")
    for _ in range(2):
        assert not waiting.done()
        await client.get("/v1/nowhere")
    assert await waiting == {"status": 200, "count": 2}


async def test_a_request_too_many_ends_the_wait(client: httpx.AsyncClient, served: Served) -> None:
    waiting = await _began(served, count=0, within="60s")
    await client.get("/v1/nowhere")
    assert (await waiting)["actual"] == 1


async def test_the_time_ends_the_wait(client: httpx.AsyncClient) -> None:
    assert (await _verify(client, count=1, within="20ms"))["actual"] == 0
    assert (await _verify(client, count=0, within="20ms"))["status"] == 200


@pytest.mark.parametrize("count", [0, 1])
async def test_a_reset_ends_the_wait(client: httpx.AsyncClient, served: Served, count: int) -> None:
    waiting = await _began(served, count=count, within="60s")
    await client.post("/_mock/reset", headers=JSON)
    assert (await waiting)["code"] == "namespace_reset"


@pytest.mark.parametrize("count", [0, 1])
async def test_the_end_of_the_server_ends_the_wait_and_nothing_passes_before_its_time(count: int) -> None:
    async with serve_all() as opened:
        waiting = await _began(opened, count=count, within="60s")
        opened.application.begin_stop()
        late = await _verify(opened.client, count=count, within="60s")
        for told in (await waiting, late):
            assert (told["code"], told.get("incomplete", False)) == ("not_verified", count == 0)


async def test_too_many_do_not_wait() -> None:
    async with serve(max_waiting_requests=1) as served:
        waiting = await _began(served, count=1, within="60s")
        assert (await _verify(served.client, count=1, within="60s"))["status"] == 409
        assert (await _verify(served.client, count=0, within="60s"))["incomplete"] is True
        await served.client.get("/v1/nowhere")
        assert (await waiting)["status"] == 200


async def test_a_long_journal_is_read_like_a_short_one(client: httpx.AsyncClient) -> None:
    for number in range(MANY + 1):
        await client.get(f"/v1/nowhere?n={number}")
    assert (await _verify(client, count=MANY + 1, order=[{}, {}]))["status"] == 200
    assert len((await _verify(client, match={"method": "PUT"}))["nearest"]) == 3
    newest = (await client.get("/_mock/journal?take=1")).json()["items"][0]
    assert newest["path"] == f"/v1/nowhere?n={MANY}"
