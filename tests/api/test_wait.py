"""wait=true: the answer is held until the last job has ended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.tokens import encode_token
from tests.support.asgi import http_scope
from tests.support.event_loop import settle, until
from tests.support.jobs import succeeded
from tests.support.served_app import JOBS, Served, serve, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

LIMIT = 60


@asynccontextmanager
async def _held(served: Served, *job_ids: str) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A GET that waits for jobs, and is not answered yet."""
    params = {"token": encode_token(job_ids), "wait": "true"}
    task = asyncio.create_task(served.client.get(JOBS, params=params))
    await settle()
    assert not task.done()
    yield task
    task.cancel()


async def _finish_elsewhere(served: Served) -> None:
    """As a scheduler in another process does: without a word."""
    claimed = await served.claim()
    assert await served.stores.jobs.replace(claimed, succeeded(claimed, at=served.clock.now()))


async def _finish_here(served: Served) -> None:
    await _end_here(served, await served.claim())


async def _end_here(served: Served, claimed: Job) -> None:
    done = succeeded(claimed, at=served.clock.now())
    assert await served.stores.jobs.replace(claimed, done)
    served.use_cases.wait.on_changes([done])


async def test_a_post_that_waits_is_answered_with_the_finished_job() -> None:
    async with serve_all() as opened:
        answer = await opened.client.post(f"{JOBS}?wait=true", json={"jobs": [template(), template()]})
        assert answer.status_code == 200
        assert [job["lastEvent"]["type"] for job in answer.json()["jobs"]] == ["Succeeded"] * 2


async def test_a_finished_job_is_not_waited_for(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    answer = await served.client.get(JOBS, params={"token": encode_token([job_id]), "wait": "true"})
    assert answer.status_code == 200


async def test_the_answer_comes_with_the_last_job_and_not_before(served: Served) -> None:
    first = await served.submit_one()
    await served.finish()
    ids = [first, await served.submit_one(), await served.submit_one()]
    async with _held(served, *ids) as answer:
        await _finish_here(served)
        await settle()
        assert not answer.done()
        await _finish_here(served)
        assert (await answer).status_code == 200


@pytest.mark.parametrize("detailed", ["false", "true"])
async def test_a_wait_is_answered_as_a_get_would_be_then(served: Served, detailed: str) -> None:
    ids = [await served.submit_one(), await served.submit_one()]
    params = {"token": encode_token([*ids, ids[0]]), "detailed": detailed}
    waiting = asyncio.create_task(served.client.get(JOBS, params={**params, "wait": "true"}))
    await settle()
    for _ in ids:
        claimed = await served.claim()
        await served.stores.jobs.set_taint([claimed.id], {"blurred": True})
        await _end_here(served, claimed)
    assert (await waiting).json() == (await served.client.get(JOBS, params=params)).json()


async def test_what_ended_here_is_not_read_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _held(served, await served.submit_one()) as answer:
        await _finish_here(served)
        monkeypatch.setattr(type(served.stores.jobs), "get_many", _away)
        assert (await answer).status_code == 200


async def test_the_end_of_a_job_in_another_process_is_seen_within_half_a_second(served: Served) -> None:
    async with _held(served, await served.submit_one()) as answer:
        await _finish_elsewhere(served)
        await settle()
        assert not answer.done()
        served.clock.advance(0.5)
        assert (await answer).status_code == 200


async def test_a_cancel_ends_the_wait(served: Served) -> None:
    job_id = await served.submit_one()
    async with _held(served, job_id) as answer:
        await served.client.delete(f"{JOBS}/{job_id}")
        assert (await answer).json()["jobs"][0]["lastEvent"]["type"] == "Deleted"


@pytest.mark.parametrize("limit", [1, LIMIT, 100])
async def test_at_the_limit_the_answer_is_202_with_what_there_is(limit: int) -> None:
    async with serve(wait_limit_s=limit) as served, _held(served, await served.submit_one()) as answer:
        for _ in range(limit * 2 - 2):
            served.clock.advance(0.5)
            await settle(20)
        assert not answer.done()
        served.clock.advance(0.5)
        await settle()
        served.clock.advance(0.5)
        assert (await answer).status_code == 202


async def test_a_stop_answers_all_who_wait_and_whoever_comes_later(served: Served) -> None:
    job_id = await served.submit_one()
    async with _held(served, job_id) as answer:
        served.application.begin_stop()
        assert (await answer).status_code == 202
    late = await served.client.get(JOBS, params={"token": encode_token([job_id]), "wait": "true"})
    assert late.status_code == 202


@pytest.mark.parametrize(
    ("path", "body"), [(f"{JOBS}?wait=true", template()), (f"{WORKFLOWS}?wait=95", workflow(image()))]
)
async def test_while_the_server_stops_the_first_who_comes_to_a_namespace_does_not_wait_either(
    served: Served, path: str, body: dict[str, Any]
) -> None:
    served.application.begin_stop()
    answer = await served.client.post(f"/ns/late{path}", json=body)
    assert answer.status_code == 202, answer.text


async def test_a_caller_who_hangs_up_is_forgotten_at_once(served: Served) -> None:
    token = encode_token([await served.submit_one()])
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {**http_scope("GET", JOBS), "query_string": f"token={token}&wait=true".encode()}
    with capture_logs() as logs:
        waiting = asyncio.create_task(_ignore_answer(served, scope, receive))
        await settle()
        assert not waiting.done()
        gone.set()
        await waiting
    assert [line["status"] for line in logs if line["event"] == "request"] == [499]
    assert not _names_of_tasks() & {"event feed"}


async def _ignore_answer(served: Served, scope: Any, receive: Any) -> None:
    async def send(message: Message) -> None:
        raise AssertionError(message)

    await served.app(scope, receive, send)


def _names_of_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if not task.cancelling()}


async def test_nothing_runs_when_nobody_waits(served: Served) -> None:
    job_id = await served.submit_one()
    async with _held(served, job_id) as answer:
        assert "event feed" in _names_of_tasks()
        await _finish_here(served)
        await answer
    assert "event feed" not in _names_of_tasks()


async def test_a_store_that_is_away_for_a_while_does_not_end_a_wait(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _held(served, await served.submit_one()) as answer:
        with monkeypatch.context() as patched:
            patched.setattr(type(served.stores.feed), "after", _away)
            served.clock.advance(0.5)
            await settle()
        assert not answer.done()
        await _finish_elsewhere(served)
        served.clock.advance(0.5)
        assert (await answer).status_code == 200


async def test_a_store_that_is_away_when_a_wait_begins_is_asked_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await served.submit_one()
    await _finish_elsewhere(served)
    with monkeypatch.context() as patched:
        patched.setattr(type(served.stores.search), "outcomes", _away)
        waiting = asyncio.create_task(served.use_cases.wait([job_id], asyncio.get_running_loop().create_future()))
        await settle()
        assert not waiting.done()
    served.clock.advance(0.5)
    await waiting


async def test_a_job_that_ends_elsewhere_before_the_feed_is_followed_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store takes its time to say where the feed ends, and meanwhile another process ends the job."""
    job_id = await served.submit_one()
    feed = served.stores.feed
    last_position, may_answer = feed.last_position, asyncio.Event()

    async def slowly(_: object) -> str:
        await may_answer.wait()
        return await last_position()

    monkeypatch.setattr(type(feed), "last_position", slowly)
    async with _held(served, job_id) as answer:
        await _finish_elsewhere(served)
        may_answer.set()
        assert (await answer).status_code == 200


async def _away(*_: object, **__: object) -> None:
    raise TransientError("away")


async def test_two_thousand_wait_with_one_look_at_the_store_each_half_second(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    feed, search = served.stores.feed, served.stores.search
    after, outcomes = feed.after, search.outcomes

    async def reading(_: object, position: str, *, limit: int) -> Any:
        looks.append("feed")
        return await after(position, limit=limit)

    async def asking(_: object, job_ids: Sequence[str]) -> Any:
        looks.append("outcomes")
        return await outcomes(job_ids)

    ids = [job.id for job in await _submitted(served, 500)]
    wait, never = served.use_cases.wait, asyncio.get_running_loop().create_future()
    waiting = [asyncio.create_task(wait([ids[number % 500]], never)) for number in range(2000)]
    await settle()
    monkeypatch.setattr(type(feed), "after", reading)
    monkeypatch.setattr(type(search), "outcomes", asking)
    served.clock.advance(0.5)
    await settle()
    assert looks == ["feed"]
    assert (await served.client.get("/health")).status_code == 200
    jobs = await served.use_cases.query.by_ids(ids)
    served.use_cases.wait.on_changes([replace(job, outcome=Outcome.SUCCEEDED) for job in jobs])
    await until(lambda: all(task.done() for task in waiting))


async def test_those_who_come_in_one_turn_of_the_event_loop_are_looked_for_together(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    ids = [job.id for job in await _submitted(served, 8)]
    await _finish_elsewhere(served)
    search, wait, never = served.stores.search, served.use_cases.wait, asyncio.get_running_loop().create_future()
    outcomes = search.outcomes

    async def counting(_: object, job_ids: Sequence[str]) -> Any:
        looks.append(len(job_ids))
        return await outcomes(job_ids)

    monkeypatch.setattr(type(search), "outcomes", counting)
    waiting = [asyncio.create_task(wait([job_id], never)) for job_id in ids]
    await settle()
    assert looks == [8]
    assert sum(task.done() for task in waiting) == 1
    wait.stop()
    await asyncio.gather(*waiting)


async def _submitted(served: Served, number: int) -> Any:
    answer = await served.client.post(JOBS, json={"jobs": [template()] * number})
    return await served.use_cases.query.by_token(answer.json()["token"])


async def test_other_requests_are_answered_while_one_waits(served: Served) -> None:
    job_id = await served.submit_one()
    async with _held(served, job_id):
        assert (await served.client.get(f"{JOBS}/{job_id}")).status_code == 200
