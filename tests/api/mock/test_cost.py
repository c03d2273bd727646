"""A control plane of which nothing is used costs one look at the path of each request, whatever the machine does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import orjson
import pytest
from starlette.types import Message

from civitai_mock.api.request_log import RequestLog
from tests.support.asgi import exchange, http_scope
from tests.support.served_app import JOBS, Served, serve, template

REQUESTS = 9


class Calls:
    """Counts the functions that are called, those of C as well."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, _: object, event: str, __: object) -> None:
        self.number += event in {"call", "c_call"}


@contextmanager
def counted() -> Iterator[Calls]:
    calls = Calls()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def _calls(served: Served, method: str, path: str, body: bytes = b"") -> int:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = {"host": "mock.test", "content_type": "application/json"}
    with counted() as calls:
        answered = await exchange(served.app, http_scope(method, path, **headers), receive)
    assert answered.status in {200, 202}
    return calls.number


async def _costs(admin: str, *, journal: int = 0) -> list[int]:
    """Return the fewest calls of several requests: some also load, collect or read again what others need."""
    async with serve(admin=admin, journal_max_entries=journal) as served:
        served.app.pipeline = replace(served.app.pipeline, request_log=RequestLog(lambda *_: None))
        body = orjson.dumps(template())
        job_id = await served.submit_one()
        asked = [("GET", f"{JOBS}/{job_id}", b""), ("POST", JOBS, body)]
        return [min([await _calls(served, *each) for _ in range(REQUESTS)]) for each in asked]


@pytest.mark.parametrize("admin", ["auto", "open"])
async def test_a_status_and_a_submission_take_one_step_more_than_without_a_control_plane(admin: str) -> None:
    await _costs("off")  # what a process loads once
    costs, costs_without = await _costs(admin), await _costs("off")
    assert [more - less for more, less in zip(costs, costs_without, strict=True)] == [1, 1]


async def test_the_journal_takes_few_steps_of_a_status_and_a_submission() -> None:
    await _costs("auto")
    costs, costs_without = await _costs("auto", journal=100), await _costs("auto")
    status, submission = (more - less for more, less in zip(costs, costs_without, strict=True))
    assert status <= 27
    assert submission <= 46
