"""`JobQueue`: who holds which jobs, and until when."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.stages import MovedBy, Outcome, Stage
from civitai_mock.ports import JobQueue, JobStore
from tests.support.dates import START
from tests.support.jobs import (
    LEASE,
    LIFETIME,
    SECOND,
    add_claimed,
    add_jobs,
    job_id,
    make_claim,
    make_job,
    prepared,
    succeeded,
)


def numbers(jobs: Sequence[Job]) -> list[int]:
    return [int(job.id[-12:]) for job in jobs]


async def test_a_claim_stamps_the_job_and_nothing_else(jobs: JobStore, queue: JobQueue) -> None:
    (job,) = await add_jobs(jobs, 1)
    claim = make_claim("worker", at=START + SECOND)
    (claimed,) = await queue.claim(claim, limit=1)
    assert claimed.claim == claim
    assert (claimed.stage, claimed.last_event) == (job.stage, job.last_event)
    assert await jobs.get(job.id) == claimed


async def test_a_job_is_claimed_sooner_with_a_higher_priority(jobs: JobStore, queue: JobQueue) -> None:
    first, second = await add_jobs(jobs, 2)
    assert await queue.set_priority(second.id, 1)
    assert [each.id for each in await queue.claim(make_claim(), limit=2)] == [second.id, first.id]
    found = await jobs.get(second.id)
    assert found is not None
    assert (found.priority, found.seq) == (1, second.seq)


async def test_named_jobs_are_claimed_as_far_as_nobody_has_them(jobs: JobStore, queue: JobQueue) -> None:
    first, taken, _, last, polled, ended = await add_jobs(jobs, 6)
    assert await jobs.replace(ended, ended.ended(Outcome.DELETED, at=START, context={}))
    await jobs.delete(polled.id)
    await jobs.add([replace(polled, moved_by=MovedBy.REQUESTS)])
    (theirs,) = await queue.claim_jobs(make_claim("theirs"), [taken.id])
    claim = make_claim("spot-1@worker", at=START + SECOND)
    names = [last.id, ended.id, polled.id, taken.id, first.id, job_id(99)]
    claimed = await queue.claim_jobs(claim, names)
    assert list(claimed) == [replace(first, claim=claim), replace(last, claim=claim)]
    assert list(await jobs.get_many([first.id, taken.id, last.id])) == [claimed[0], theirs, claimed[1]]
    assert await queue.claim_jobs(claim, names) == []
    assert await queue.claim_jobs(claim, []) == []


async def test_the_worker_of_a_fleet_is_named_by_events_and_renews_its_leases(jobs: JobStore, queue: JobQueue) -> None:
    (job,) = await add_jobs(jobs, 1)
    (claimed,) = await queue.claim_jobs(make_claim("spot-1@worker"), [job.id])
    entered = claimed.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={})
    assert entered.last_event.worker_id == "spot-1"
    assert await jobs.replace(claimed, entered)
    assert await queue.renew("spot-1@worker", [job.id], START + 2 * LEASE) == {job.id}
    assert await queue.renew("spot-1@other", [job.id], START + 2 * LEASE) == frozenset()


async def test_only_an_unfinished_job_gets_another_priority(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert await queue.set_priority(claimed.id, 5)
    assert await jobs.replace(claimed, succeeded(claimed))
    assert not await queue.set_priority(claimed.id, 6)
    assert not await queue.set_priority(job_id(99), 6)


async def test_a_claim_knows_what_was_changed_since_the_job_was_added(jobs: JobStore, queue: JobQueue) -> None:
    assert list(await queue.claim(make_claim(), limit=1)) == []  # whoever claims may keep what is added from now on
    tainted, decided, urgent, plain = await add_jobs(jobs, 4)
    await jobs.set_taint([tainted.id], {"reason": "blurry"})
    fault = JobFault(attempt=1, rule="a")
    assert await jobs.keep_faults(decided, [fault])
    assert await queue.set_priority(urgent.id, 7)
    claim = make_claim("worker", at=START + SECOND)
    claimed = await queue.claim(claim, limit=4)
    expected = [
        replace(urgent, priority=7),
        replace(tainted, taint={"reason": "blurry"}),
        replace(decided, faults=(fault,)),
        plain,
    ]
    assert list(claimed) == [replace(job, claim=claim) for job in expected]
    assert list(await jobs.get_many([job.id for job in claimed])) == list(claimed)


async def test_a_job_that_is_claimed_again_is_as_it_was_left(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    left = claimed.released(at=START + SECOND, reason="The worker is stopping.")
    assert await jobs.replace(claimed, left)
    claim = make_claim("another", at=START + 2 * SECOND)
    assert list(await queue.claim(claim, limit=1)) == [replace(left, claim=claim)]


async def test_a_claim_writes_no_event(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert list(await jobs.events(claimed.id)) == [make_job().last_event]


async def test_a_second_claimer_gets_nothing(jobs: JobStore, queue: JobQueue) -> None:
    await add_claimed(jobs, queue, make_claim("first"))
    assert list(await queue.claim(make_claim("second"), limit=10)) == []


async def test_a_worker_is_not_given_again_what_it_holds(jobs: JobStore, queue: JobQueue) -> None:
    await add_claimed(jobs, queue, make_claim())
    assert list(await queue.claim(make_claim(), limit=10)) == []


async def test_no_more_than_the_limit_is_claimed(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 5)
    assert numbers(await queue.claim(make_claim(), limit=2)) == [1, 2]
    for none in (0, -1):
        assert list(await queue.claim(make_claim(), limit=none)) == []
    assert numbers(await queue.claim(make_claim(), limit=10)) == [3, 4, 5]


async def test_the_highest_priority_goes_first_then_the_oldest_then_the_lowest_id(
    jobs: JobStore, queue: JobQueue
) -> None:
    old, young = START, START + SECOND
    added = [(7, 0, old), (2, 0, old), (1, 0, young), (5, 10, young), (9, 10, old), (3, -10, old), (8, 10, old)]
    await jobs.add([make_job(number, priority=priority, created_at=at) for number, priority, at in added])
    assert numbers(await queue.claim(make_claim(), limit=4)) == [8, 9, 5, 2]
    assert numbers(await queue.claim(make_claim(), limit=4)) == [7, 1, 3]


async def test_a_finished_job_is_not_claimed(jobs: JobStore, queue: JobQueue) -> None:
    (job,) = await add_jobs(jobs, 1)
    await jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={}))
    assert list(await queue.claim(make_claim(), limit=1)) == []


def moved_by_each(numbers: Iterable[int]) -> Sequence[Job]:
    """Return jobs that their namespace, time and requests move, in turn."""
    kinds = (None, MovedBy.TIME, MovedBy.REQUESTS)
    return [replace(make_job(number), moved_by=kinds[number % 3]) for number in numbers]


@pytest.mark.parametrize(("only_timed", "kinds"), [(False, {None, MovedBy.TIME}), (True, {MovedBy.TIME})])
async def test_jobs_that_requests_move_are_passed_over(
    jobs: JobStore, queue: JobQueue, *, only_timed: bool, kinds: set[MovedBy | None]
) -> None:
    added = moved_by_each(range(1, 10))
    await jobs.add(added)
    wanted = [job.id for job in added if job.moved_by in kinds]
    claimed = await queue.claim(make_claim(), limit=2, only_timed=only_timed)
    assert [job.id for job in claimed] == wanted[:2]
    claimed = await queue.claim(make_claim(), limit=99, only_timed=only_timed)
    assert [job.id for job in claimed] == wanted[2:]
    assert {job.moved_by for job in await jobs.get_many(wanted)} == kinds


async def test_jobs_that_requests_move_do_not_wait_for_a_worker(jobs: JobStore, queue: JobQueue) -> None:
    added = moved_by_each(range(1, 7))
    await jobs.add(added)
    waiting = [job.id for job in added if job.moved_by is not MovedBy.REQUESTS]
    assert [job.id for job in (await queue.snapshot(recent_since=START)).jobs] == waiting
    assert (await queue.backlog()).jobs == len(waiting)
    await queue.claim(make_claim(), limit=99)
    later = START + 2 * LEASE
    assert not await queue.is_stalled(since=later, now=later)


async def test_many_claimers_get_disjoint_jobs_and_together_all(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 60)
    claims = [make_claim(f"worker-{number}") for number in range(20)]
    got = await asyncio.gather(*(queue.claim(claim, limit=5) for claim in claims))
    taken = [number for batch in got for number in numbers(batch)]
    assert len(taken) == len(set(taken))
    rest = await queue.claim(make_claim("last"), limit=60)
    assert sorted([*taken, *numbers(rest)]) == list(range(1, 61))


async def test_each_claimer_is_told_what_is_stored(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 12)
    got = await asyncio.gather(*(queue.claim(make_claim(f"worker-{number}"), limit=3) for number in range(4)))
    for batch in got:
        assert list(await jobs.get_many([job.id for job in batch])) == list(batch)


async def test_a_claimer_and_a_canceller_never_both_win(jobs: JobStore, queue: JobQueue) -> None:
    queued = await add_jobs(jobs, 20)
    cancels = [jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={})) for job in queued]
    *cancelled, claimed = await asyncio.gather(*cancels, queue.claim(make_claim(), limit=20))
    assert isinstance(claimed, list | tuple)
    deleted = [job.id for job, won in zip(queued, cancelled, strict=True) if won]
    assert sorted([*deleted, *(job.id for job in claimed)]) == [job.id for job in queued]


async def test_a_renewed_lease_ends_later(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    later = START + 2 * LEASE
    assert await queue.renew("local-1", [claimed.id], later) == {claimed.id}
    renewed = await jobs.get(claimed.id)
    assert renewed is not None
    assert renewed.claim == Claim(provider="local", worker_id="local-1", at=START, until=later)
    assert renewed.last_event == claimed.last_event


async def test_renewing_does_not_shorten_a_lease(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert await queue.renew("local-1", [claimed.id], START) == {claimed.id}
    assert await jobs.get(claimed.id) == claimed


async def test_renewing_tells_only_what_is_still_held(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 6)
    await queue.claim(make_claim("other"), limit=1)
    held, finished, released, cancelled = await queue.claim(make_claim(), limit=4)
    assert await jobs.replace(finished, succeeded(finished))
    assert await jobs.replace(released, released.released(at=START, reason="stopping"))
    assert await jobs.replace(cancelled, cancelled.ended(Outcome.DELETED, at=START, context={}))
    assert await queue.renew("local-1", [job_id(number) for number in range(1, 7)], START + 2 * LEASE) == {held.id}


async def test_nothing_is_renewed_but_what_is_asked_for(jobs: JobStore, queue: JobQueue) -> None:
    """A claim that a worker no longer works on has to run out, whatever else the worker has to do."""
    await add_jobs(jobs, 3)
    asked, forgotten, _ = await queue.claim(make_claim(), limit=3)
    assert await queue.renew("local-1", [asked.id, job_id(9)], START + 2 * LEASE) == {asked.id}
    assert await queue.renew("local-1", [], START + 2 * LEASE) == frozenset()
    over = await queue.with_expired_lease(START + LEASE + SECOND, limit=10)
    assert forgotten in over
    assert [job.id for job in over] == [job_id(2), job_id(3)]


async def test_a_lease_that_was_renewed_meanwhile_is_not_taken_for_one_that_is_over(
    jobs: JobStore, queue: JobQueue
) -> None:
    claimed = await add_claimed(jobs, queue)
    (found,) = await queue.with_expired_lease(START + LEASE + SECOND, limit=10)
    await queue.renew("local-1", [claimed.id], START + 3 * LEASE)
    taken = found.abandoned(at=START + LEASE, reason="gone")
    assert not await jobs.replace(found, taken, if_not_renewed=True)
    (again,) = await queue.with_expired_lease(START + 4 * LEASE, limit=10)
    assert await jobs.replace(again, again.abandoned(at=START + 4 * LEASE, reason="gone"), if_not_renewed=True)


async def test_a_job_that_nobody_holds_has_no_lease_to_be_renewed(jobs: JobStore) -> None:
    (job,) = await add_jobs(jobs, 1)
    deleted = job.ended(Outcome.DELETED, at=START, context={})
    assert await jobs.replace(job, deleted, if_not_renewed=True)


@pytest.mark.parametrize("worker_id", ["nobody", "", "local_1", "LOCAL-1", "../local-1", "%"])
async def test_renewing_for_a_worker_without_jobs_changes_nothing(
    jobs: JobStore, queue: JobQueue, worker_id: str
) -> None:
    claimed = await add_claimed(jobs, queue)
    assert await queue.renew(worker_id, [claimed.id], START + 2 * LEASE) == frozenset()
    assert await jobs.get(claimed.id) == claimed


@pytest.mark.parametrize("worker_id", ["a/b", "..", "host:1234/кот 🐈", "%00", "x" * 200])
async def test_a_worker_may_have_any_name(jobs: JobStore, queue: JobQueue, worker_id: str) -> None:
    claimed = await add_claimed(jobs, queue, make_claim(worker_id))
    assert await queue.renew(worker_id, [claimed.id], START + 2 * LEASE) == {claimed.id}


async def test_a_lease_has_expired_once_its_end_is_past(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert list(await queue.with_expired_lease(START + LEASE, limit=10)) == []
    assert list(await queue.with_expired_lease(START + LEASE + SECOND, limit=10)) == [claimed]


async def test_a_renewed_lease_has_not_expired(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    await queue.renew("local-1", [claimed.id], START + 2 * LEASE)
    assert list(await queue.with_expired_lease(START + LEASE + SECOND, limit=10)) == []


async def test_a_change_of_the_job_carries_its_new_lease(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    entered = prepared(claimed, at=START + LEASE)
    assert await jobs.replace(claimed, entered)
    assert list(await queue.with_expired_lease(START + LEASE + SECOND, limit=10)) == []
    assert list(await queue.with_expired_lease(START + 2 * LEASE + SECOND, limit=10)) == [entered]


async def test_neither_queued_nor_finished_jobs_have_a_lease(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    finished, released = await queue.claim(make_claim(), limit=2)
    assert await jobs.replace(finished, succeeded(finished))
    assert await jobs.replace(released, released.released(at=START, reason="stopping"))
    assert list(await queue.with_expired_lease(START + LIFETIME, limit=10)) == []


async def test_no_more_expired_leases_are_told_than_asked_for(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    await queue.claim(make_claim(), limit=3)
    assert len(await queue.with_expired_lease(START + LIFETIME, limit=2)) == 2


async def test_of_two_rescuers_one_takes_the_job_back(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    rescues = [claimed.claim_expired(at=START + LEASE, reason=reason) for reason in ("a", "b")]
    won = await asyncio.gather(*(jobs.replace(claimed, rescue) for rescue in rescues))
    assert sorted(won) == [False, True]
    (again,) = await queue.claim(make_claim("next"), limit=1)
    assert (again.id, again.retry_attempt) == (job_id(1), 1)


async def test_a_lost_claim_cannot_be_written_to(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue, make_claim("first"))
    assert await jobs.replace(claimed, claimed.claim_expired(at=START + LEASE, reason="away"))
    (again,) = await queue.claim(make_claim("second"), limit=1)
    assert not await jobs.replace(claimed, prepared(claimed))
    assert await jobs.get(claimed.id) == again
