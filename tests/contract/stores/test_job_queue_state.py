"""`JobQueue`: jobs that are blocked, late, waiting to be claimed or standing still."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Backlog
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue, JobStore
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, add_claimed, add_jobs, job_id, make_claim, make_job, succeeded


def blocked_job(number: int) -> Job:
    return replace(make_job(number), is_blocked=True, dependencies=(job_id(99),))


def ids(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


async def test_a_blocked_job_is_passed_over_by_claims(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([replace(blocked_job(1), priority=9), make_job(2)])
    assert ids(await queue.claim(make_claim(), limit=10)) == [job_id(2)]


async def test_an_unblocked_job_can_be_claimed(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([blocked_job(1)])
    free = blocked_job(1).unblocked(at=START + SECOND)
    assert await jobs.replace(blocked_job(1), free)
    assert await jobs.get(job_id(1)) == free
    assert list(await queue.blocked(after="", limit=10)) == []
    assert ids(await queue.claim(make_claim(), limit=10)) == [job_id(1)]


async def test_blocked_jobs_are_listed_page_by_page_in_order_of_id(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    stored = [blocked_job(number) for number in (14, 11, 15, 12, 13)]
    await jobs.add(stored)
    first = await queue.blocked(after="", limit=2)
    second = await queue.blocked(after=first[-1].id, limit=2)
    last = await queue.blocked(after=second[-1].id, limit=2)
    assert [*first, *second, *last] == sorted(stored, key=lambda job: job.id)
    assert list(await queue.blocked(after=last[-1].id, limit=2)) == []


async def test_a_job_that_ended_is_not_blocked(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([blocked_job(1)])
    assert await jobs.replace(blocked_job(1), blocked_job(1).ended(Outcome.FAILED, at=START, context={}))
    assert list(await queue.blocked(after="", limit=10)) == []
    assert list(await queue.claim(make_claim(), limit=10)) == []


async def test_a_blocked_job_has_a_deadline(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([blocked_job(1)])
    assert list(await queue.past_deadline(START + LIFETIME, limit=10)) == [blocked_job(1)]


async def test_of_two_that_unblock_a_job_one_wins(jobs: JobStore) -> None:
    await jobs.add([blocked_job(1)])
    free = blocked_job(1).unblocked(at=START)
    assert await jobs.replace(blocked_job(1), free)
    assert not await jobs.replace(blocked_job(1), free)
    assert len(await jobs.events(job_id(1))) == 2


async def test_the_queue_is_told_in_the_order_in_which_it_is_claimed(jobs: JobStore, queue: JobQueue) -> None:
    old, young = START, START + SECOND
    added = [(7, 0, old), (2, 0, old), (1, 0, young), (5, 10, young), (9, 10, old)]
    await jobs.add([make_job(number, priority=priority, created_at=at) for number, priority, at in added])
    await jobs.add([replace(make_job(3, priority=20), cost=8.5), replace(make_job(4, priority=30), is_blocked=True)])
    state = await queue.snapshot(recent_since=START)
    assert [(job.id, job.priority, job.created_at) for job in state.jobs[1:3]] == [
        (job_id(9), 10, old),
        (job_id(5), 10, young),
    ]
    assert state.jobs[0].cost == 8.5
    assert [job.id for job in state.jobs] == [job.id for job in await queue.claim(make_claim(), limit=10)]
    assert list((await queue.snapshot(recent_since=START)).jobs) == []


async def test_the_queue_knows_how_many_jobs_ended_recently(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([make_job(number) for number in range(1, 6)])
    claimed = await queue.claim(make_claim(), limit=3)
    for seconds, job in enumerate(claimed):
        assert await jobs.replace(job, succeeded(job, at=START + seconds * SECOND))
    (queued,) = await jobs.get_many([job_id(4)])
    assert await jobs.replace(queued, queued.ended(Outcome.FAILED, at=START + 3 * SECOND, context={}))
    recent = [(await queue.snapshot(recent_since=START + seconds * SECOND)).recent for seconds in range(5)]
    assert recent == [4, 3, 2, 1, 0]
    assert [job.id for job in (await queue.snapshot(recent_since=START)).jobs] == [job_id(5)]


async def test_the_backlog_is_all_that_could_be_claimed(jobs: JobStore, queue: JobQueue) -> None:
    assert await queue.backlog() == Backlog(jobs=0, oldest=None)
    await jobs.add([make_job(number, created_at=START + number * SECOND) for number in (3, 1, 2)])
    await jobs.add([replace(make_job(4, priority=9), created_at=START + 4 * SECOND), blocked_job(5)])
    assert await queue.backlog() == Backlog(jobs=4, oldest=START + SECOND)
    await queue.claim(make_claim(), limit=2)
    assert await queue.backlog() == Backlog(jobs=2, oldest=START + 2 * SECOND)


async def test_jobs_stand_still_while_one_waits_and_nobody_has_a_good_lease(jobs: JobStore, queue: JobQueue) -> None:
    lease_ends = make_claim().until

    async def is_stalled(now: datetime = START + 10 * SECOND) -> bool:
        return await queue.is_stalled(since=START + SECOND, now=now)

    assert not await is_stalled()
    await jobs.add([make_job(1, created_at=START + SECOND), replace(make_job(2, created_at=START), is_blocked=True)])
    assert not await is_stalled()  # one is too young, and one waits for another
    await jobs.add([make_job(number, created_at=START) for number in (3, 4)])
    assert await is_stalled()
    (claimed,) = await queue.claim(make_claim(), limit=1)
    assert not await is_stalled(lease_ends - SECOND)
    assert await is_stalled(lease_ends + SECOND)
    assert await jobs.replace(claimed, succeeded(claimed))
    assert await is_stalled(lease_ends - SECOND)


async def test_unfinished_jobs_at_or_before_their_deadline_are_told(jobs: JobStore, queue: JobQueue) -> None:
    now = START + timedelta(hours=1)
    deadlines = {1: now - SECOND, 2: now, 3: now + timedelta(microseconds=1), 4: now - 2 * SECOND, 5: now - SECOND}
    await jobs.add([make_job(number, expire_at=deadline) for number, deadline in deadlines.items()])
    finished = await jobs.get_many([job_id(5)])
    assert await jobs.replace(finished[0], finished[0].ended(Outcome.DELETED, at=START, context={}))
    assert sorted(ids(await queue.past_deadline(now, limit=10))) == [job_id(1), job_id(2), job_id(4)]


async def test_a_claimed_job_has_a_deadline_too(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert list(await queue.past_deadline(claimed.expire_at, limit=10)) == [claimed]


async def test_no_more_late_jobs_are_told_than_asked_for(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    assert len(await queue.past_deadline(START + 2 * LIFETIME, limit=2)) == 2
