"""Every error is a problem in one shape, whatever went wrong."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import JobError, TransientError
from tests.support.served_app import JOBS, Served, template

UNKNOWN_JOB = f"{JOBS}/00000000-0000-4000-8000-000000000000"
TRACE_ID = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00")


class _BrokenStore:
    """A job store on which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Callable[..., Awaitable[None]]:
        return self._fail

    async def _fail(self, *_: object) -> None:
        raise self._error


def _break(served: Served, error: Exception) -> None:
    broken: Any = _BrokenStore(error)  # nothing else of a store is used here
    query = replace(served.use_cases.query, jobs=broken)
    served.answer_with(query=query)


async def test_a_problem_has_the_members_of_real_ones_in_order(client: httpx.AsyncClient) -> None:
    answer = await client.get(UNKNOWN_JOB)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert list(problem) == ["type", "title", "status", "detail", "traceId", "code"]
    assert problem["type"] == "https://tools.ietf.org/html/rfc9110#section-15.5.5"
    assert (problem["title"], problem["status"], problem["code"]) == ("Not Found", 404, "not_found")
    assert TRACE_ID.fullmatch(problem["traceId"])


async def test_a_validation_problem_has_the_official_title_and_errors(client: httpx.AsyncClient) -> None:
    problem = (await client.post(JOBS, json=template(quantity=0))).json()
    assert problem["type"] == "https://tools.ietf.org/html/rfc9110#section-15.5.1"
    assert problem["title"] == "One or more validation errors occurred."
    assert list(problem["errors"]) == ["quantity"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/nowhere", "/v1", f"{JOBS}/a/b/c", "/v2/resource", "/v1/Consumer/%00"])
async def test_an_unknown_path_is_a_404_problem(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", JOBS, {"GET", "HEAD", "POST", "PUT", "DELETE"}),
        ("POST", UNKNOWN_JOB, {"GET", "HEAD", "PUT", "DELETE"}),
        ("OPTIONS", JOBS, {"GET", "HEAD", "POST", "PUT", "DELETE"}),
        ("BREW", JOBS, {"GET", "HEAD", "POST", "PUT", "DELETE"}),
        ("DELETE", "/v2/resources", {"GET", "POST"}),
        ("POST", "/v2/resources/civitai:1@2", {"GET", "PUT", "PATCH", "DELETE"}),
        ("POST", "/blobs/x", {"GET", "HEAD"}),
        ("POST", "/health", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_a_path_does_not_have_is_a_405_that_lists_all_it_has(
    client: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["title"]) == (405, "Method Not Allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_a_store_that_is_away_is_a_503_that_says_when_to_come_back(served: Served) -> None:
    _break(served, TransientError("The store is away."))
    answer = await served.client.get(UNKNOWN_JOB)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "The store is away."


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), JobError("secret")])
async def test_a_bug_is_a_500_that_reveals_nothing_and_logs_everything(served: Served, error: Exception) -> None:
    _break(served, error)
    with capture_logs() as logs:
        answer = await served.client.get(UNKNOWN_JOB)
    problem = answer.json()
    assert (answer.status_code, problem["title"]) == (500, "An error occurred while processing your request.")
    assert "secret" not in answer.text
    failed = next(line for line in logs if line["event"] == "request failed")
    assert (failed["exc_info"], failed["log_level"]) == (True, "error")
    assert [line["status"] for line in logs if line["event"] == "request"] == [500]
