"""Who may call, and whose jobs they see."""

from typing import Any

import httpx
import pytest

from tests.support.served_app import CHECKPOINT, JOBS, Served, serve, template

ALICE, BOB = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}
RESOURCE = {"air": "urn:air:sd1:lora:civitai:5@6"}


@pytest.mark.parametrize("headers", [{}, ALICE, {"authorization": "nonsense"}])
async def test_without_auth_everybody_is_one_consumer(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(f"{JOBS}?detailed=true", json=template(), headers=headers)
    assert answer.json()["jobs"][0]["job"]["issuedBy"] == "civitai-1"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "alice"])
async def test_where_a_token_is_required_its_lack_is_a_401(authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    async with serve(auth="any") as served:
        answer = await served.client.post(JOBS, json=template(), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
        assert answer.json()["title"] == "Unauthorized"
        assert await served.queued() == 0


@pytest.mark.parametrize(("token", "status"), [("alice", 202), ("bob", 202), ("carol", 401)])
async def test_only_listed_tokens_are_accepted_where_they_are_listed(token: str, status: int) -> None:
    async with serve(auth="tokens", auth_tokens="alice, bob") as served:
        answer = await served.client.post(JOBS, json=template(), headers={"authorization": f"bearer {token}"})
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/v2/resources", f"/v2/resources/{CHECKPOINT}", "/health", "/docs", "/openapi.json"])
async def test_what_is_public_needs_no_token(path: str) -> None:
    async with serve(auth="any") as served:
        assert (await served.client.get(path)).status_code == 200


async def test_writing_resources_needs_a_token() -> None:
    async with serve(auth="any") as served:
        assert (await served.client.post("/v2/resources", json=RESOURCE)).status_code == 401
        assert (await served.client.post("/v2/resources", json=RESOURCE, headers=ALICE)).status_code == 201


async def _job_of_alice(served: Served) -> Any:
    answer = await served.client.post(JOBS, json=template(properties={"u": 1}), headers=ALICE)
    await served.finish()
    return answer.json()


async def test_a_signed_url_works_without_a_token() -> None:
    async with serve(auth="any") as served:
        job = await _job_of_alice(served)
        (result,) = (await served.client.get(f"{JOBS}/{job['jobId']}", headers=ALICE)).json()["result"]
        assert (await served.client.get(result["blobUrl"])).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", JOBS + "/{jobId}", None),
        ("PUT", JOBS + "/{jobId}", {"reason": "x"}),
        ("DELETE", JOBS + "/{jobId}", None),
        ("DELETE", JOBS + "?token={token}", None),
        ("GET", JOBS + "/{jobId}/assets/x", None),
        ("GET", "/v1/producer/jobs/{jobId}/events", None),
    ],
)
async def test_a_job_of_somebody_else_is_not_there(method: str, path: str, body: Any) -> None:
    async with serve(auth="any") as served:
        job = await _job_of_alice(served)
        url = path.format(jobId=job["jobId"], token=job["token"])
        assert (await served.client.request(method, url, json=body, headers=BOB)).status_code == 404
        mine = (await served.client.get(f"{JOBS}/{job['jobId']}?detailed=true", headers=ALICE)).json()
        assert "taint" not in mine["job"]


async def test_lists_have_only_the_callers_own_jobs() -> None:
    async with serve(auth="any") as served:
        job = await _job_of_alice(served)
        params = {"token": job["token"]}
        for headers, count in ((ALICE, 1), (BOB, 0)):
            by_token = (await served.client.get(JOBS, params=params, headers=headers)).json()
            by_query = (await served.client.post(f"{JOBS}/query", json={}, headers=headers)).json()
            requests = (await served.client.get("/v1/consumer/requests", headers=headers)).json()
            spent = (await served.client.get("/v1/consumer/consumption", headers=headers)).json()
            assert [len(by_token["jobs"]), len(by_query["jobs"]), len(requests["requests"]), spent["images"]] == [
                count
            ] * 4


@pytest.mark.parametrize("body", [{"reason": "x"}, {"reason": "x", "properties": {"u": 1}}])
async def test_nobody_taints_the_jobs_of_others(body: Any) -> None:
    async with serve(auth="any") as served:
        params = {"token": (await _job_of_alice(served))["token"]} if "properties" not in body else {}
        await _job_of_alice(served)
        assert (await served.client.put(JOBS, params=params, json=body, headers=BOB)).json() == {"jobs": 0}


@pytest.mark.parametrize("where", ["query", "requests"])
async def test_a_cursor_of_somebody_else_is_a_400(where: str) -> None:
    async with serve(auth="any") as served:
        await served.client.post(JOBS, json={"jobs": [template()] * 101}, headers=ALICE)
        served.clock.advance(1)
        await served.client.post(JOBS, json=template(), headers=ALICE)
        if where == "query":
            cursor = (await served.client.post(f"{JOBS}/query", json={}, headers=ALICE)).json()["cursor"]
            answer = await served.client.post(f"{JOBS}/query", json={"cursor": cursor}, headers=BOB)
        else:
            page = (await served.client.get("/v1/consumer/requests?take=1", headers=ALICE)).json()
            params = {"cursor": page["cursor"]["nextId"]}
            answer = await served.client.get("/v1/consumer/requests", params=params, headers=BOB)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["cursor"]


async def test_each_consumer_has_a_balance_of_its_own() -> None:
    async with serve(auth="any", buzz_balance=1.0) as served:
        first = [(await served.client.post(JOBS, json=template(), headers=who)).status_code for who in (ALICE, BOB)]
        again = [(await served.client.post(JOBS, json=template(), headers=who)).status_code for who in (ALICE, BOB)]
        assert (first, again) == ([202, 202], [403, 403])
