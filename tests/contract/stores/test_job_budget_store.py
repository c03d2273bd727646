"""`JobStore` and `JobSearch`: what jobs cost their consumers."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Budget, JobCriteria, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue, JobSearch, JobStore
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, job_id, make_claim, make_job, succeeded

TEN = Budget(issued_by="payer", limit=10)
REFUNDED = [Outcome.FAILED, Outcome.EXPIRED, Outcome.DELETED]


def job_for(number: int, cost: float, *, issued_by: str = "payer", charged: bool = True, at: datetime = START) -> Job:
    return replace(make_job(number, created_at=at), cost=cost, issued_by=issued_by, charged=charged)


async def spent(search: JobSearch, issued_by: str | None = "payer") -> float:
    return (await search.spending(issued_by, since=None, until=None)).cost


async def end(jobs: JobStore, number: int, outcome: Outcome) -> None:
    (job,) = await jobs.get_many([job_id(number)])
    assert await jobs.replace(job, job.ended(outcome, at=START, context={}))


async def succeed_all(jobs: JobStore, queue: JobQueue) -> None:
    for job in await queue.claim(make_claim(), limit=100):
        assert await jobs.replace(job, succeeded(job))


async def test_jobs_within_the_budget_are_added(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 4), job_for(2, 5)], budget=TEN)
    await jobs.add([job_for(3, 1)], budget=TEN)
    assert await spent(search) == 10


async def test_jobs_beyond_the_budget_leave_no_trace(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 4)], budget=TEN)
    with pytest.raises(InsufficientBuzzError):
        await jobs.add([job_for(2, 5), job_for(3, 1.25)], budget=TEN)
    assert list(await jobs.get_many([job_id(2), job_id(3)])) == []
    assert list(await jobs.events(job_id(2))) == []
    assert [job.id for job in await search.find(JobCriteria(), limit=9)] == [job_id(1)]
    assert await spent(search) == 4
    await jobs.add([job_for(2, 6)], budget=TEN)


async def test_nothing_can_be_bought_without_money(jobs: JobStore) -> None:
    broke = Budget(issued_by="payer", limit=0)
    with pytest.raises(InsufficientBuzzError):
        await jobs.add([job_for(1, 0.5)], budget=broke)
    await jobs.add([job_for(1, 0)], budget=broke)


async def test_jobs_that_are_not_charged_do_not_count(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 100, charged=False), job_for(2, 10)], budget=TEN)
    await jobs.add([job_for(3, 100, charged=False)], budget=TEN)
    assert await spent(search) == 10


async def test_the_jobs_of_others_do_not_count(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 100, issued_by="other")])
    await jobs.add([job_for(2, 10)], budget=TEN)
    assert await spent(search) == 10
    assert await spent(search, None) == 110


async def test_without_a_budget_jobs_may_cost_anything(jobs: JobStore) -> None:
    await jobs.add([job_for(1, 1e9)])
    with pytest.raises(InsufficientBuzzError):
        await jobs.add([job_for(2, 1)], budget=TEN)


@pytest.mark.parametrize("outcome", REFUNDED)
async def test_a_job_that_did_not_succeed_is_refunded(jobs: JobStore, search: JobSearch, outcome: Outcome) -> None:
    await jobs.add([job_for(1, 10)], budget=TEN)
    await end(jobs, 1, outcome)
    assert await spent(search) == 0
    await jobs.add([job_for(2, 10)], budget=TEN)


async def test_claimed_waiting_and_succeeded_jobs_count(jobs: JobStore, queue: JobQueue, search: JobSearch) -> None:
    await jobs.add([job_for(1, 4)], budget=TEN)
    await succeed_all(jobs, queue)
    await jobs.add([job_for(2, 3)], budget=TEN)
    await queue.claim(make_claim(), limit=1)
    await jobs.add([replace(job_for(3, 3), is_blocked=True)], budget=TEN)
    with pytest.raises(InsufficientBuzzError):
        await jobs.add([job_for(4, 0.25)], budget=TEN)
    assert await spent(search) == 10


async def test_submissions_at_once_never_get_past_the_budget_together(jobs: JobStore, search: JobSearch) -> None:
    asked = [jobs.add([job_for(number, 2), job_for(number + 1, 1)], budget=TEN) for number in range(1, 41, 2)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {type(None), InsufficientBuzzError}
    assert answers.count(None) == 3
    assert await spent(search) == 9


async def test_an_id_that_is_taken_is_a_conflict_and_costs_nothing(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 1)], budget=TEN)
    with pytest.raises(ConflictError):
        await jobs.add([job_for(2, 1), job_for(1, 1)], budget=TEN)
    assert await spent(search) == 1
    await jobs.add([job_for(2, 9)], budget=TEN)


async def test_adding_no_job_within_a_budget_is_no_error(jobs: JobStore) -> None:
    await jobs.add([], budget=TEN)


async def test_images_are_those_that_succeeded_jobs_have(jobs: JobStore, queue: JobQueue, search: JobSearch) -> None:
    await jobs.add([job_for(1, 1), job_for(2, 1), job_for(3, 1, charged=False)])
    first, second, third = await queue.claim(make_claim(), limit=3)
    good = succeeded(first)
    assert await jobs.replace(first, replace(good, slots=(good.slots[0], replace(good.slots[1], available=False))))
    assert await jobs.replace(second, second.progressed(at=START, context={}, slots=succeeded(second).slots))
    assert await search.spending("payer", since=None, until=None) == Spending(images=1, cost=2)
    assert await jobs.replace(third, succeeded(third))
    assert await search.spending("payer", since=None, until=None) == Spending(images=3, cost=2)


async def test_without_jobs_nothing_is_spent(search: JobSearch) -> None:
    assert await search.spending(None, since=None, until=None) == Spending(images=0, cost=0)
    assert await search.spending("nobody", since=START, until=START) == Spending(images=0, cost=0)


@pytest.mark.parametrize("issued_by", ["payer", None])
@pytest.mark.parametrize(
    ("since", "until", "cost"),
    [(None, None, 7), (0, None, 7), (1, None, 6), (None, 1, 1), (1, 2, 2), (None, 2, 3), (2, 2, 0), (3, None, 0)],
)
async def test_a_job_belongs_to_the_moment_of_its_creation(
    jobs: JobStore,
    queue: JobQueue,
    search: JobSearch,
    issued_by: str | None,
    since: int | None,
    until: int | None,
    cost: float,
) -> None:
    await jobs.add([job_for(number, 2 ** (number - 1), at=START + (number - 1) * SECOND) for number in (1, 2, 3)])
    await succeed_all(jobs, queue)
    bounds = [None if second is None else START + second * SECOND for second in (since, until)]
    found = await search.spending(issued_by, since=bounds[0], until=bounds[1])
    assert found == Spending(images=2 * int(cost).bit_count(), cost=cost)


async def test_swept_jobs_are_no_longer_counted(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_for(1, 10)], budget=TEN)
    await jobs.sweep(START + LIFETIME)
    assert await spent(search) == 0
    await jobs.add([job_for(2, 10)], budget=TEN)
