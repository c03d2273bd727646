"""Coverage, consumption and past requests."""

from typing import Any

import httpx
import pytest

from civitai_mock.domain.money import Balances
from civitai_mock.services.consumers import EVERYBODY
from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, serve, template
from tests.support.workflows import make_workflow

CONSUMER = "/v1/consumer"


@pytest.mark.parametrize(
    ("model", "availability", "workers"),
    [
        (CHECKPOINT, "Available", 1),
        (CHECKPOINT.upper(), "Available", 1),
        ("@civitai/128078", "Available", 1),
        ("civitai:101055@128078", "Available", 1),
        (LORA, "Available", 1),
        ("urn:air:sdxl:checkpoint:civitai:1@2", "Unavailable", 0),
        ("urn:air:wanvideo:checkpoint:civitai:1@2", "Unsupported", 0),
        ("@civitai/1", "Unknown", 0),
        ("civitai:1@2", "Unknown", 0),
    ],
)
async def test_coverage_is_shown_under_the_air_as_it_was_sent(
    client: httpx.AsyncClient, model: str, availability: str, workers: int
) -> None:
    answer = await client.get(f"{CONSUMER}/coverage", params={"model": model})
    assert answer.json() == {model: {"availability": availability, "workers": workers}}


async def test_coverage_of_several_is_one_map(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{CONSUMER}/coverage", params={"model": [CHECKPOINT, LORA]})
    assert list(answer.json()) == [CHECKPOINT, LORA]


@pytest.mark.parametrize("query", ["", "?model=", "?model=nonsense", "?model=urn:air:sd1:lora:civitai:../../x@1"])
async def test_coverage_of_what_is_no_air_is_a_400(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{CONSUMER}/coverage{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["model"]


async def test_consumption_sums_images_and_cost_without_refunded_jobs(served: Served) -> None:
    await served.submit_one(quantity=2)
    await served.finish()
    cancelled = await served.submit_one()
    await served.client.delete(f"{JOBS}/{cancelled}")
    await served.client.post(f"{JOBS}?charge=false", json=template())
    body = (await served.client.get(f"{CONSUMER}/consumption")).json()
    assert body == {"images": 2, "totalCost": pytest.approx(1.92)}


@pytest.mark.parametrize(
    ("start", "end", "images"),
    [
        ("2025-09-06T18:18:16Z", None, 1),
        ("2025-09-06T18:18:17Z", None, 0),
        (None, "2025-09-06T18:18:17Z", 1),
        (None, "2025-09-06T18:18:16.167943Z", 0),
        ("2025-09-06T20:18:16+02:00", "2025-09-07", 1),
    ],
)
async def test_consumption_is_of_jobs_from_the_start_up_to_the_end(
    served: Served, start: str | None, end: str | None, images: int
) -> None:
    await served.submit_one()
    await served.finish()
    dates = {name: date for name, date in {"startDate": start, "endDate": end}.items() if date}
    body = (await served.client.get(f"{CONSUMER}/consumption", params=dates)).json()
    assert body["images"] == images
    assert body.keys() - {"images", "totalCost"} == dates.keys()


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("startDate=yesterday", "startDate"),
        ("startDate=2025-02-01&endDate=2025-01-01", "endDate"),
        ("endDate=", "endDate"),
    ],
)
async def test_dates_that_are_none_or_in_the_wrong_order_are_a_400(
    client: httpx.AsyncClient, query: str, path: str
) -> None:
    answer = await client.get(f"{CONSUMER}/consumption?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]


async def _pages(served: Served, take: int) -> list[Any]:
    pages: list[Any] = []
    params: dict[str, Any] = {"take": take}
    while not pages or "cursor" in pages[-1]:
        pages.append((await served.client.get(f"{CONSUMER}/requests", params=params)).json())
        params["cursor"] = pages[-1].get("cursor", {}).get("nextId")
    return pages


@pytest.mark.parametrize("take", [1, 2, 3, 100])
async def test_requests_are_listed_youngest_first_with_their_jobs_however_they_are_paged(
    served: Served, take: int
) -> None:
    sent = []
    for count in (1, 3, 2):
        body = {"jobs": [template()] * count}
        sent.append({job["jobId"] for job in (await served.client.post(JOBS, json=body)).json()["jobs"]})
        served.clock.advance(1)
    requests = [request for page in await _pages(served, take) for request in page["requests"]]
    assert [{job["job"]["id"] for job in request["jobs"]} for request in requests] == sent[::-1]
    assert [request["dateTime"] for request in requests] == [
        f"2025-09-06T18:18:{second}.1679430Z" for second in (18, 17, 16)
    ]


async def test_requests_with_large_jobs_come_on_smaller_pages(served: Served) -> None:
    job_ids = []
    for _ in range(7):
        job_ids.append(await served.submit_one(properties={"text": "x" * 1_500_000}))
        served.clock.advance(1)
    pages = await _pages(served, take=100)
    assert len(pages) > 1
    assert all(len(page["requests"]) <= 5 for page in pages)
    found = [job["job"]["id"] for page in pages for request in page["requests"] for job in request["jobs"]]
    assert found == job_ids[::-1]


async def test_a_cursor_says_when_the_next_request_was_at_most(served: Served) -> None:
    for _ in range(2):
        await served.submit_one()
        served.clock.advance(1)
    page = (await served.client.get(f"{CONSUMER}/requests?take=1")).json()
    assert page["cursor"]["nextDateTime"] == page["requests"][0]["dateTime"]
    assert list(page["requests"][0]["jobs"][0]) == ["job", "lastEvent"]


@pytest.mark.parametrize("query", ["take=0", "take=101", "take=x", "take=", "take=-1", "cursor=nonsense"])
async def test_a_wrong_take_or_cursor_is_a_400(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{CONSUMER}/requests?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


async def test_whatif_counts_the_cost_and_leaves_no_trace(served: Served) -> None:
    body = {"jobs": [template(quantity=2), template()]}
    answer = await served.client.post(f"{JOBS}?whatif=true&detailed=true", json=body)
    told = answer.json()
    assert answer.status_code == 200
    assert list(told) == ["jobs"]
    assert [job["cost"] for job in told["jobs"]] == [pytest.approx(1.92), pytest.approx(0.96)]
    assert [job["scheduled"] for job in told["jobs"]] == [False, False]
    assert "estimatedStartDate" in told["jobs"][0]["serviceProviders"]["local"]["queuePosition"]
    assert (await served.client.get(f"{JOBS}/{told['jobs'][0]['jobId']}")).status_code == 404
    assert await served.queued() == 0


async def test_whatif_makes_up_no_resource() -> None:
    unknown = "urn:air:sdxl:checkpoint:civitai:1@2"
    async with serve(missing_resources="lenient") as served:
        assert (await served.client.post(f"{JOBS}?whatif=true", json=template(model=unknown))).status_code == 200
        assert (await served.client.get(f"/v2/resources/{unknown}")).status_code == 404


@pytest.mark.parametrize("query", ["", "?whatif=true"])
async def test_too_little_buzz_is_a_403_of_its_own_form(query: str) -> None:
    async with serve(buzz_balance=1.0) as served:
        assert (await served.client.post(JOBS, json=template())).status_code == 202
        answer = await served.client.post(JOBS + query, json=template())
        assert (answer.status_code, answer.json()) == (403, {"error": "Insufficient Buzz"})
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert await served.queued() == 1


async def test_jobs_draw_on_all_accounts_but_that_for_tests() -> None:
    async with serve(buzz_balance="blue=0.5, yellow=0.75, fakeRed=100") as served:
        assert (await served.client.post(JOBS, json=template())).status_code == 202
        assert (await served.client.post(JOBS, json=template())).status_code == 403


@pytest.mark.parametrize("query", ["", "?whatif=true"])
async def test_what_workflows_cost_is_no_longer_there_for_jobs(query: str) -> None:
    async with serve(buzz_balance=9) as served:
        workflow = make_workflow(owner=EVERYBODY)
        await served.stores.workflows.add(workflow, [], balances=Balances(together=9))
        assert (await served.client.post(JOBS, json=template())).status_code == 202
        assert (await served.client.post(JOBS + query, json=template())).status_code == 403


async def test_a_cancelled_job_gives_its_buzz_back() -> None:
    async with serve(buzz_balance=1.0) as served:
        await served.client.delete(f"{JOBS}/{await served.submit_one()}")
        assert (await served.client.post(JOBS, json=template())).status_code == 202


async def test_jobs_that_are_not_charged_need_no_balance() -> None:
    async with serve(buzz_balance=0) as served:
        assert (await served.client.post(f"{JOBS}?charge=false", json=template())).status_code == 202
        assert (await served.client.post(JOBS, json=template())).status_code == 403
