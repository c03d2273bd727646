"""What grows with the load has a bound; beyond it requests are refused or answered at once, and taken again later."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from civitai_mock.services import queue_limit
from tests.support.event_loop import settle
from tests.support.served_app import JOBS, PATIENCE_SECONDS, serve, template


def _assert_is_refusal(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), answer.text
    assert answer.json()["code"] == code


async def test_jobs_beyond_the_bound_of_the_queue_are_refused_until_some_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_limit, "SHORTEST_PAUSE_SECONDS", 0.0)
    async with serve(max_queued_jobs=3) as served:
        assert (await served.client.post(JOBS, json={"jobs": [template()] * 2})).status_code == 202
        refused = await served.client.post(JOBS, json={"jobs": [template()] * 2})
        _assert_is_refusal(refused, "queue_full")
        assert "room for 3 jobs, and 2 wait" in refused.json()["detail"]
        assert (await served.client.post(JOBS, json=template())).status_code == 202
        _assert_is_refusal(await served.client.post(JOBS, json=template()), "queue_full")
        assert (await served.client.post(f"{JOBS}?whatif=true", json=template())).status_code == 200
        assert await served.queued() == 3
        assert (await served.client.post(JOBS, json=template())).status_code == 202


async def test_a_request_that_may_not_wait_any_more_is_answered_at_once() -> None:
    async with serve(max_waiting_requests=1) as served:
        first = asyncio.create_task(served.client.post(f"{JOBS}?wait=true", json=template()))
        await settle()
        async with asyncio.timeout(PATIENCE_SECONDS):
            second = await served.client.post(f"{JOBS}?wait=true", json=template())
        assert (second.status_code, second.json()["jobs"][0]["scheduled"]) == (202, True)
        assert not first.done()
        for job in (await served.client.post(f"{JOBS}/query", json={})).json()["jobs"]:
            await served.client.delete(f"{JOBS}/{job['jobId']}")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await first).json()["jobs"][0]["lastEvent"]["type"] == "Deleted"


class SlowBody:
    """Sends its first half, and the rest when it is told to."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.half_sent = asyncio.Event()
        self.go_on = asyncio.Event()
        self._content = json.dumps(body).encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        middle = len(self._content) // 2
        yield self._content[:middle]
        self.half_sent.set()
        await self.go_on.wait()
        yield self._content[middle:]


async def test_bodies_that_together_exceed_the_bound_are_refused_until_the_others_are_done() -> None:
    large = template(properties={"text": "x" * 3000})
    async with serve(max_bodies_bytes=4000) as served, asyncio.timeout(PATIENCE_SECONDS):
        slow = SlowBody(large)
        first = asyncio.create_task(served.client.post(JOBS, content=slow))
        await slow.half_sent.wait()
        _assert_is_refusal(await served.client.post(JOBS, json=large), "too_many_bodies")
        assert (await served.client.post(JOBS, json=template())).status_code == 202
        slow.go_on.set()
        assert (await first).status_code == 202
        assert (await served.client.post(JOBS, json=large)).status_code == 202
        assert (await served.client.post(JOBS, content=b"{")).status_code == 400
        assert served.app.context.bodies.taken == 0


async def test_one_body_alone_may_exceed_the_bound_of_all() -> None:
    async with serve(max_bodies_bytes=1024) as served:
        answer = await served.client.post(JOBS, json=template(properties={"text": "x" * 3000}))
        assert answer.status_code == 202
