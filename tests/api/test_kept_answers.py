"""The answer about a finished job is kept for a second, and nobody can tell: what changes is seen at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from civitai_mock.api.answer_cache import AnswerCache
from civitai_mock.services.query import QueryJobs
from tests.support.dates import START
from tests.support.gated_stores import GatedJobStore, StoreGate
from tests.support.served_app import JOBS, Served, serve, template

T = TypeVar("T")
KEY = "a key that is long enough for anybody"
ALICE, BOB = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}
STEPS = 150


@dataclass(frozen=True, slots=True)
class CountedStore(StoreGate):
    """Counts the calls that pass."""

    calls: list[str] = field(default_factory=list)

    async def pass_through(self, call: Awaitable[T]) -> T:
        self.calls.append(getattr(call, "__name__", ""))
        return await call


@dataclass(frozen=True, slots=True)
class SlowStore(StoreGate):
    """Holds back what was read until the test lets go."""

    has_read: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_through(self, call: Awaitable[T]) -> T:
        found = await call
        self.has_read.set()
        await self.may_go_on.wait()
        return found


def put_gate(served: Served, gate: StoreGate) -> None:
    served.answer_with(query=QueryJobs(jobs=GatedJobStore(served.stores.jobs, gate)))


async def finished_job(served: Served, **changes: Any) -> str:
    job_id = await served.submit_one(**changes)
    await served.finish()
    return job_id


async def get(served: Served, job_id: str, **headers: str) -> httpx.Response:
    return await served.client.get(f"{JOBS}/{job_id}?detailed=true", headers=headers)


async def get_kept(served: Served, job_id: str, **headers: str) -> httpx.Response:
    """Ask until the answer is kept, so that what follows could be answered with it."""
    for _ in range(2):
        await get(served, job_id, **headers)
    kept = await get(served, job_id, **headers)
    assert kept.status_code == 200
    return kept


async def get_anew(served: Served, path: str, headers: dict[str, str]) -> httpx.Response:
    """Ask for an answer that cannot have been kept."""
    kept, served.app.answers = served.app.answers, AnswerCache()
    found = await served.client.get(path, headers=headers)
    served.app.answers = kept
    return found


async def test_a_finished_job_is_read_twice_in_a_second_and_then_only_looked_after(served: Served) -> None:
    """What is asked for once is not kept."""
    job_id, gate = await finished_job(served), CountedStore()
    put_gate(served, gate)
    answers = [await get(served, job_id) for _ in range(4)]
    assert answers[0].status_code == 200
    assert {answer.content for answer in answers} == {answers[0].content}
    assert gate.calls == ["get", "get", "settled_at", "settled_at"]
    served.clock.advance(1)
    assert (await get(served, job_id)).content != answers[0].content
    assert gate.calls[4:] == ["get"]


async def test_an_unfinished_job_is_never_kept(served: Served) -> None:
    job_id, gate = await served.submit_one(), CountedStore()
    put_gate(served, gate)
    assert [(await get(served, job_id)).json()["scheduled"] for _ in range(2)] == [True] * 2
    await served.finish()
    assert (await get(served, job_id)).json()["scheduled"] is False
    assert gate.calls == ["get"] * 3


async def test_what_a_consumer_was_answered_is_kept_from_others() -> None:
    async with serve(auth="any") as served:
        answer = await served.client.post(JOBS, json=template(), headers=ALICE)
        job_id = answer.json()["jobId"]
        await served.finish()
        await get_kept(served, job_id, **ALICE)
        asked = [(await get(served, job_id, **headers)).status_code for headers in (ALICE, BOB, ALICE, BOB, {})]
        assert asked == [200, 404, 200, 404, 401]


async def test_a_namespace_is_not_answered_with_what_another_was(served: Served) -> None:
    job_id = await finished_job(served)
    before = await get_kept(served, job_id)
    served.answer_with(blob_urls=replace(served.use_cases.blob_urls, key=b"another"))
    after = await get(served, job_id)
    assert before.json()["result"][0]["blobUrl"] != after.json()["result"][0]["blobUrl"]


@dataclass(frozen=True, kw_only=True)
class TwoProcesses:
    """Two APIs on one file: `asked` keeps answers, and `other` writes, as another process does."""

    asked: Served
    other: Served

    async def taint(self, job_id: str, number: int) -> None:
        changed = await self.other.client.put(f"{JOBS}/{job_id}", json={"reason": f"taint {number}"})
        assert changed.status_code in {200, 404}

    async def sweep(self, job_id: str, number: int) -> None:
        job = await self.other.stores.jobs.get(job_id)
        if job is not None and number % 3 == 0:
            await self.other.stores.jobs.sweep(job.keep_until)

    async def wait(self, _: str, number: int) -> None:
        self.asked.clock.advance((number % 5) / 4)

    async def nothing(self, _: str, __: int) -> None:
        """Most requests come between two changes."""


@asynccontextmanager
async def two_processes(folder: Path) -> AsyncIterator[TwoProcesses]:
    settings: dict[str, Any] = {"mongodb_uri": None, "data_dir": folder, "blob_signing_key": KEY}
    async with serve(**settings) as asked, serve(**settings) as other:
        yield TwoProcesses(asked=asked, other=other)


@pytest.mark.parametrize("seed", range(3))
async def test_no_answer_is_stale_whatever_another_process_writes_in_between(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with two_processes(tmp_path) as processes:
        ids = [await finished_job(processes.asked, properties={"n": number}) for number in range(4)]
        changes: list[Callable[[str, int], Awaitable[None]]] = [
            processes.taint,
            processes.sweep,
            processes.wait,
            *[processes.nothing] * 4,
        ]
        for number in range(STEPS):
            await dice.choice(changes)(dice.choice(ids), number)
            path = f"{JOBS}/{dice.choice(ids)}{dice.choice(('', '?detailed=true', '?detailed=false'))}"
            compat = dice.choice(({}, {"x-mock-compat": "sdk-2024"}, {"x-mock-compat": "official"}))
            headers = {"host": dice.choice(("a.test", "b.test:1")), **compat}
            kept = await processes.asked.client.get(path, headers=headers)
            fresh = await get_anew(processes.asked, path, headers)
            if kept.status_code == 404:
                assert fresh.status_code == 404
            else:
                assert (kept.status_code, kept.content) == (fresh.status_code, fresh.content)


async def test_an_answer_that_was_overtaken_by_a_taint_is_not_sent_again(served: Served) -> None:
    job_id, gate = await finished_job(served), SlowStore()
    await get(served, job_id)  # so that the next answer is kept
    put_gate(served, gate)
    overtaken = asyncio.create_task(get(served, job_id))
    await gate.has_read.wait()
    await served.stores.jobs.set_taint([job_id], {"reason": "blurred"})
    gate.may_go_on.set()
    assert "taint" not in (await overtaken).json()["job"]  # as it was read before
    assert (await get(served, job_id)).json()["job"]["taint"] == {"reason": "blurred"}


async def test_an_answer_is_not_kept_for_a_second_in_which_its_urls_were_not_signed(served: Served) -> None:
    """A clock that is set back shows it."""
    job_id, gate = await finished_job(served), SlowStore()
    await get(served, job_id)  # so that the next answer is kept
    put_gate(served, gate)
    slow = asyncio.create_task(get(served, job_id))
    await gate.has_read.wait()
    served.clock.advance(1)
    gate.may_go_on.set()
    late = await slow
    served.clock.advance(-1)
    assert (await get(served, job_id)).content != late.content


async def test_the_expiry_of_a_url_is_the_second_at_which_it_stops_working() -> None:
    async with serve(blob_url_lifetime_s=60) as served:
        served.clock.advance(0.75)
        job_id = await finished_job(served)
        (result,) = (await get(served, job_id)).json()["result"]
        assert result["blobUrlExpirationDate"] == "2025-09-06T18:19:16.0000000Z"
        for seconds, status in ((59, 200), (0.1, 403)):  # until 18:19:15.917943 and 18:19:16.017943
            served.clock.advance(seconds)
            assert (await served.client.get(result["blobUrl"])).status_code == status


async def test_what_is_kept_takes_no_more_than_a_number_of_bytes(served: Served) -> None:
    ids, gate = [await finished_job(served) for _ in range(4)], CountedStore()
    size = len((await get(served, ids[0])).content)
    served.app.answers = AnswerCache(max_bytes=3 * size)
    put_gate(served, gate)
    for _ in range(3):
        for job_id in ids:
            await get(served, job_id)
    assert gate.calls == ["get"] * 8 + ["settled_at"] + ["get"] * 3
    served.clock.advance(1)
    assert [(await get(served, ids[3])).status_code for _ in range(3)] == [200] * 3
    assert gate.calls[12:] == ["get", "get", "settled_at"]


async def test_a_taint_is_seen_by_whoever_asked_before(served: Served) -> None:
    """The store in memory remembers what is settled."""
    job_id = await finished_job(served)
    for reason in ("blurred", "dark"):
        assert [(await get(served, job_id)).status_code for _ in range(3)] == [200] * 3
        await served.client.put(f"{JOBS}/{job_id}", json={"reason": reason})
        assert (await get(served, job_id)).json()["job"]["taint"] == {"reason": reason}
    await served.stores.jobs.sweep(START + timedelta(days=9999))
    assert (await get(served, job_id)).status_code == 404
