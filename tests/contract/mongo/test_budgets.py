"""What only MongoDB can get wrong about budgets: between two writes, another process may add jobs of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from civitai_mock.domain.errors import InsufficientBuzzError, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Budget
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.mongo import budgets
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from tests.support.dates import START
from tests.support.jobs import job_id, make_job
from tests.support.mongo import Interrupted, Meanwhile, SentAgain, process_on

pytestmark = pytest.mark.mongo

CONSUMER = make_job().issued_by
TEN = Budget(issued_by=CONSUMER, limit=10)


def job_for(number: int, cost: float) -> Job:
    return replace(make_job(number), cost=cost)


def buys(inside: Collections, cost: float) -> Callable[[], Awaitable[None]]:
    """Another process, with job 2."""
    return partial(process_on(inside).jobs.add, [job_for(2, cost)], budget=TEN)


def is_refused(inside: Collections, cost: float) -> Callable[[], Awaitable[None]]:
    async def try_to_buy() -> None:
        with pytest.raises(InsufficientBuzzError):
            await buys(inside, cost)()

    return try_to_buy


async def stored(inside: Collections) -> list[str]:
    return [document["jobId"] async for document in inside.jobs.find().sort("jobId")]


async def reserved(inside: Collections) -> int:
    return await inside.reservations.count_documents({})


@pytest.mark.parametrize("after", [False, True])
async def test_what_another_process_is_adding_counts_at_any_moment(inside: Collections, after: bool) -> None:
    watched = Meanwhile(inside.jobs, "insert_many", is_refused(inside, 7), after=after)
    buyer = process_on(inside, jobs=watched).jobs
    await buyer.add([job_for(1, 4)], budget=TEN)
    assert not watched.broken
    assert (await stored(inside), await reserved(inside)) == ([job_id(1)], 0)


async def test_jobs_that_are_stored_while_their_reservation_is_there_count_once(inside: Collections) -> None:
    watched = Meanwhile(inside.reservations, "delete_one", buys(inside, 6))
    await process_on(inside, reservations=watched).jobs.add([job_for(1, 4)], budget=TEN)
    assert (await stored(inside), await reserved(inside)) == ([job_id(1), job_id(2)], 0)


async def test_a_process_that_reserved_first_is_seen_by_one_that_is_faster(inside: Collections) -> None:
    watched = Meanwhile(inside.reservations, "insert_one", is_refused(inside, 7), after=True)
    await process_on(inside, reservations=watched).jobs.add([job_for(1, 4)], budget=TEN)
    assert await stored(inside) == [job_id(1)]


async def test_a_process_that_was_overtaken_before_it_reserved_sees_the_jobs(inside: Collections) -> None:
    watched = Meanwhile(inside.reservations, "insert_one", buys(inside, 7))
    with pytest.raises(InsufficientBuzzError):
        await process_on(inside, reservations=watched).jobs.add([job_for(1, 4)], budget=TEN)
    assert (await stored(inside), await reserved(inside)) == ([job_id(2)], 0)


class ReadLate:
    """A collection that is read only when something else has happened."""

    def __init__(self, collection: Collection, call: str, happens: Callable[[], Awaitable[object]]) -> None:
        self._collection = collection
        self._call = call
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return self._read if name == self._call else getattr(self._collection, name)

    async def _read(self, *args: object) -> AsyncIterator[Document]:
        await self._happens()
        async for document in getattr(self._collection, self._call)(*args):
            yield document


@pytest.mark.parametrize(("role", "call"), [("reservations", "find"), ("jobs", "aggregate")])
async def test_jobs_that_are_stored_while_another_process_adds_up_are_not_missed(
    inside: Collections, role: str, call: str
) -> None:
    checked, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        checked.set()
        await go_on.wait()

    first = process_on(inside, jobs=Meanwhile(inside.jobs, "insert_many", wait)).jobs
    adding = asyncio.create_task(first.add([job_for(1, 4)], budget=TEN))
    await checked.wait()

    async def finish() -> None:
        go_on.set()
        await adding

    second = process_on(inside, **{role: ReadLate(getattr(inside, role), call, finish)}).jobs
    with pytest.raises(InsufficientBuzzError):
        await second.add([job_for(2, 7)], budget=TEN)
    assert (await stored(inside), await reserved(inside)) == ([job_id(1)], 0)


async def test_jobs_that_break_off_leave_nothing_reserved(inside: Collections) -> None:
    breaking = process_on(inside, jobs=Interrupted(inside.jobs, "insert_many", carried_out=True)).jobs
    with pytest.raises(TransientError):
        await breaking.add([job_for(1, 10)], budget=TEN)
    assert (await stored(inside), await reserved(inside)) == ([], 0)


async def test_a_reservation_whose_end_was_lost_counts_once_until_it_is_swept(
    inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long a submission may take is real time, whatever the clock says that jobs have."""
    dying = process_on(inside, reservations=Interrupted(inside.reservations, "delete_one")).jobs
    await dying.add([job_for(1, 10)], budget=TEN)
    store = process_on(inside).jobs
    assert await store.replace(job_for(1, 10), job_for(1, 10).ended(Outcome.DELETED, at=START, context={}))
    await store.sweep(START + timedelta(days=4000))
    await is_refused(inside, 10)()
    monkeypatch.setattr(budgets, "LONGEST_SUBMISSION", timedelta())
    await store.sweep(START)
    await buys(inside, 10)()
    assert await reserved(inside) == 0


async def test_a_reservation_that_the_driver_sends_again_is_one(inside: Collections) -> None:
    sending = process_on(inside, reservations=SentAgain(inside.reservations, "insert_one"))
    await sending.jobs.add([job_for(1, 10)], budget=TEN)
    assert await inside.jobs.count_documents({}) == 1
    assert await inside.reservations.count_documents({}) == 0
