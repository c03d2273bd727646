"""PUT: taint one job, the jobs of a token, or those with some properties."""

from typing import Any

import httpx
import pytest

from civitai_mock.domain.tokens import encode_token
from tests.support.served_app import JOBS, Served

UNKNOWN = "00000000-0000-4000-8000-000000000000"
TAINT = {"reason": "blurred", "context": {"by": {"name": "bot"}}}


async def _taint_of(served: Served, job_id: str) -> Any:
    return (await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json()["job"].get("taint")


@pytest.mark.parametrize("finished", [True, False])
async def test_a_tainted_job_shows_it_and_is_otherwise_as_it_was(served: Served, finished: bool) -> None:
    job_id = await served.submit_one()
    if finished:
        await served.finish()
    before = (await served.client.get(f"{JOBS}/{job_id}")).json()
    answer = await served.client.put(f"{JOBS}/{job_id}", json=TAINT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await _taint_of(served, job_id) == TAINT
    assert (await served.client.get(f"{JOBS}/{job_id}")).json() == before


async def test_the_last_taint_counts_and_may_be_empty(served: Served) -> None:
    job_id = await served.submit_one()
    await served.client.put(f"{JOBS}/{job_id}", json=TAINT)
    await served.client.put(f"{JOBS}/{job_id}", json={"reason": None})
    assert await _taint_of(served, job_id) == {}


async def test_an_unknown_job_cannot_be_tainted(client: httpx.AsyncClient) -> None:
    assert (await client.put(f"{JOBS}/{UNKNOWN}", json=TAINT)).status_code == 404


async def test_the_jobs_of_a_token_are_tainted_and_counted(served: Served) -> None:
    ids = [await served.submit_one() for _ in range(3)]
    params = {"token": encode_token([UNKNOWN, *ids[:2]])}
    answer = await served.client.put(JOBS, params=params, json=TAINT)
    assert (answer.status_code, answer.json()) == (200, {"jobs": 2})
    assert [await _taint_of(served, job_id) for job_id in ids] == [TAINT, TAINT, None]


async def test_jobs_are_tainted_by_their_properties(served: Served) -> None:
    ids = [await served.submit_one(properties={"user": number % 2, "n": number}) for number in range(4)]
    answer = await served.client.put(JOBS, json={**TAINT, "properties": {"user": 1}})
    assert answer.json() == {"jobs": 2}
    assert [await _taint_of(served, job_id) for job_id in ids] == [None, TAINT, None, TAINT]


async def test_with_token_and_properties_both_have_to_fit(served: Served) -> None:
    ids = [await served.submit_one(properties={"user": number % 2}) for number in range(4)]
    params = {"token": encode_token(ids[:2])}
    answer = await served.client.put(JOBS, params=params, json={**TAINT, "properties": {"user": 1}})
    assert answer.json() == {"jobs": 1}
    assert [await _taint_of(served, job_id) for job_id in ids] == [None, TAINT, None, None]


@pytest.mark.parametrize("body", [{}, TAINT, {"properties": {}}, {"properties": None}])
async def test_without_token_and_properties_nothing_is_tainted(served: Served, body: Any) -> None:
    job_id = await served.submit_one()
    answer = await served.client.put(JOBS, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["token", "properties"]
    assert await _taint_of(served, job_id) is None


@pytest.mark.parametrize(
    ("body", "path"), [({"reason": 7}, "reason"), ({"context": []}, "context"), ({"properties": "x"}, "properties")]
)
async def test_a_taint_of_the_wrong_form_is_a_400(client: httpx.AsyncClient, body: Any, path: str) -> None:
    answer = await client.put(JOBS, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]
