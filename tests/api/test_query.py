"""POST /v1/consumer/jobs/query: find jobs by type and properties, page by page."""

from typing import Any

import httpx
import pytest

from tests.support.served_app import JOBS, Served, template

QUERY = f"{JOBS}/query"


async def _found(client: httpx.AsyncClient, **question: Any) -> list[str]:
    answer = await client.post(QUERY, json=question)
    assert answer.status_code == 200, answer.text
    return [job["jobId"] for job in answer.json()["jobs"]]


@pytest.mark.parametrize(
    "wanted",
    [
        {"user": 7},
        {"user": 7.0},
        {"text": "a"},
        {"yes": True},
        {"none": None},
        {"list": [1, {"x": 2}]},
        {"deep": {"a.b": {"$c": "d"}}},
        {"$or": [{"user": 8}]},
        {"a.b": 1},
        {"": "empty"},
        {"user": 7, "deep": {"a.b": {"$c": "d"}}},
    ],
    ids=str,
)
async def test_a_job_is_found_by_any_of_its_properties(served: Served, wanted: Any) -> None:
    has = {
        "user": 7,
        "text": "a",
        "yes": True,
        "none": None,
        "list": [1, {"x": 2}],
        "deep": {"a.b": {"$c": "d"}, "other": 1},
        "$or": [{"user": 8}],
        "a.b": 1,
        "": "empty",
    }
    job_id = await served.submit_one(properties=has)
    await served.submit_one(properties={"other": 1, "a": {"b": 1}})
    assert await _found(served.client, properties=wanted) == [job_id]


@pytest.mark.parametrize("wanted", [{"user": "7"}, {"user": 8}, {"user": None}, {"user": 7, "x": 1}, {"User": 7}])
async def test_a_job_that_differs_in_one_value_is_not_found(served: Served, wanted: Any) -> None:
    await served.submit_one(properties={"user": 7})
    assert await _found(served.client, properties=wanted) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [("textToImage", 1), ("TEXTTOIMAGE", 1), ("TextToImageJobTemplate", 1), ("TextToImageV2", 1), ("nothing", 0)],
)
async def test_a_type_is_accepted_in_any_of_its_spellings(served: Served, asked: str, found: int) -> None:
    await served.submit_one()
    assert len(await _found(served.client, jobType=asked)) == found


async def test_pages_follow_each_other_while_new_jobs_come_in(served: Served) -> None:
    submitted = await served.client.post(JOBS, json={"jobs": [template(properties={"u": 1})] * 250})
    seen: list[str] = []
    cursor = None
    while True:
        page = (await served.client.post(QUERY, json={"properties": {"u": 1}, "cursor": cursor})).json()
        seen += [job["jobId"] for job in page["jobs"]]
        cursor = page.get("cursor")
        if cursor is None:
            break
        served.clock.advance(1)
        await served.submit(properties={"u": 1})
    assert len(seen) == 250
    assert set(seen) == {job["jobId"] for job in submitted.json()["jobs"]}


async def test_the_answer_has_a_cursor_only_where_there_is_more_and_details_when_asked(served: Served) -> None:
    await served.submit_one()
    body = (await served.client.post(f"{QUERY}?detailed=true", json={})).json()
    assert list(body) == ["jobs"]
    assert "job" in body["jobs"][0]


async def test_large_jobs_come_on_smaller_pages(served: Served) -> None:
    job_ids = []
    for _ in range(7):
        job_ids.append(await served.submit_one(properties={"text": "x" * 1_500_000}))
        served.clock.advance(1)
    found: list[str] = []
    asked: dict[str, str] = {}
    while True:
        page = (await served.client.post(QUERY, json=asked)).json()
        assert len(page["jobs"]) <= 3
        found += [job["jobId"] for job in page["jobs"]]
        if "cursor" not in page:
            break
        asked = {"cursor": page["cursor"]}
    assert found == job_ids[::-1]


@pytest.mark.parametrize("cursor", ["nonsense", "é", "bm9uc2Vuc2U=", "W10=", "e30=", "WzEsMiwzLDRd", "AAAA"])
async def test_a_cursor_that_nobody_was_given_is_a_400(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.post(QUERY, json={"cursor": cursor})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["cursor"]
