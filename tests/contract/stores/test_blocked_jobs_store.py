"""`JobQueue`: jobs that are blocked by others."""

from collections.abc import Sequence
from dataclasses import replace

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue, JobStore
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, add_jobs, job_id, make_claim, make_job


def waiting_job(number: int) -> Job:
    return replace(make_job(number), is_blocked=True, dependencies=(job_id(99),))


def ids(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


async def test_a_job_that_waits_is_passed_over_by_claims(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([replace(waiting_job(1), priority=9), make_job(2)])
    assert ids(await queue.claim(make_claim(), limit=10)) == [job_id(2)]


async def test_a_job_that_no_longer_waits_can_be_claimed(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([waiting_job(1)])
    free = waiting_job(1).unblocked(at=START + SECOND)
    assert await jobs.replace(waiting_job(1), free)
    assert await jobs.get(job_id(1)) == free
    assert list(await queue.blocked(after="", limit=10)) == []
    assert ids(await queue.claim(make_claim(), limit=10)) == [job_id(1)]


async def test_jobs_that_wait_are_told_page_by_page_in_order_of_id(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    stored = [waiting_job(number) for number in (14, 11, 15, 12, 13)]
    await jobs.add(stored)
    first = await queue.blocked(after="", limit=2)
    second = await queue.blocked(after=first[-1].id, limit=2)
    last = await queue.blocked(after=second[-1].id, limit=2)
    assert [*first, *second, *last] == sorted(stored, key=lambda job: job.id)
    assert list(await queue.blocked(after=last[-1].id, limit=2)) == []


async def test_a_job_that_ended_waits_no_more(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([waiting_job(1)])
    assert await jobs.replace(waiting_job(1), waiting_job(1).ended(Outcome.FAILED, at=START, context={}))
    assert list(await queue.blocked(after="", limit=10)) == []
    assert list(await queue.claim(make_claim(), limit=10)) == []


async def test_a_job_that_waits_has_a_deadline(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([waiting_job(1)])
    assert list(await queue.past_deadline(START + LIFETIME, limit=10)) == [waiting_job(1)]


async def test_of_two_that_free_a_job_one_wins(jobs: JobStore) -> None:
    await jobs.add([waiting_job(1)])
    free = waiting_job(1).unblocked(at=START)
    assert await jobs.replace(waiting_job(1), free)
    assert not await jobs.replace(waiting_job(1), free)
    assert len(await jobs.events(job_id(1))) == 2
