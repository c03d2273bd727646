"""Jobs that name others of the same request."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.served_app import JOBS, Served, serve, template


def _named(*jobs: tuple[str | None, list[str]]) -> dict[str, Any]:
    return {"jobs": [template(name=name, dependencies=dependencies) for name, dependencies in jobs]}


async def test_a_job_waits_for_those_that_it_names(served: Served) -> None:
    body = _named(("first", []), ("second", ["first", "first"]), (None, ["second", "first"]))
    jobs = (await served.client.post(f"{JOBS}?detailed=true", json=body)).json()["jobs"]
    ids = [job["jobId"] for job in jobs]
    assert [job["job"]["jobDependencies"] for job in jobs] == [[], [ids[0]], [ids[1], ids[0]]]
    assert jobs[1]["job"]["name"] == "second"
    assert await served.queued() == 1


async def test_two_jobs_may_share_a_name_that_nobody_depends_on(client: httpx.AsyncClient) -> None:
    assert (await client.post(JOBS, json=_named(("a", []), ("a", [])))).status_code == 202


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (_named(("a", []), ("b", ["a", "c"])), "jobs[1].dependencies[1]"),
        (_named(("a", []), ("a", []), ("b", ["a"])), "jobs[2].dependencies[0]"),
        (_named(("a", ["a"])), "jobs[0].dependencies[0]"),
        (template(name="a", dependencies=["a"]), "dependencies[0]"),
        (template(dependencies=["a"]), "dependencies[0]"),
    ],
    ids=["unknown", "ambiguous", "itself", "itself alone", "nobody"],
)
async def test_a_dependency_that_cannot_be_is_a_400_that_says_where(served: Served, body: Any, path: str) -> None:
    answer = await served.client.post(JOBS, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]
    assert await served.queued() == 0


async def test_a_circle_is_a_400_that_names_one_of_its_links(served: Served) -> None:
    body = _named(("x", ["c"]), ("a", ["c"]), ("b", ["a"]), ("c", ["b"]))
    answer = await served.client.post(JOBS, json=body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) < {f"jobs[{index}].dependencies[0]" for index in (1, 2, 3)}
    assert await served.queued() == 0


async def test_submissions_at_once_never_spend_more_than_the_balance_together() -> None:
    async with serve(buzz_balance=3.0) as served:
        answers = await asyncio.gather(*(served.client.post(JOBS, json=template()) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [403] * 5


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nowhere", "http://", "http://8.8.8.8/", "file:///etc/passwd"])
async def test_a_callback_that_can_never_be_made_is_a_400(served: Served, url: str) -> None:
    answer = await served.client.post(JOBS, json={"jobs": [template(), template(callbackUrl=url)]})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["jobs[1].callbackUrl"]
    assert await served.queued() == 0


@pytest.mark.parametrize("providers", [[], ["ValdiAI"], ["local"], ["Local", "nobody"]])
async def test_any_providers_are_accepted(served: Served, providers: list[str]) -> None:
    await served.submit(providers=providers)
    assert await served.queued() == 1


@pytest.mark.parametrize(("count", "status"), [(3, 202), (4, 400)])
async def test_a_request_may_have_so_many_jobs(count: int, status: int) -> None:
    async with serve(max_jobs_per_request=3) as served:
        answer = await served.client.post(JOBS, json={"jobs": [template()] * count})
        assert answer.status_code == status
        assert await served.queued() == (count if status == 202 else 0)
