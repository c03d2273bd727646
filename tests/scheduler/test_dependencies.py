"""Jobs that depend on others."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.scheduler.dependencies import Waiters, resolve
from tests.scheduler.conftest import POLL_SECONDS, Bench, running, running_until_killed
from tests.support.dates import START
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment
from tests.support.jobs import job_id, make_blocked, make_job

UNBLOCKED = ["Initialized", "Updated", "Claimed", "Updated", "Updated", "Succeeded"]
FAILED = ["Initialized", "Failed"]


def _refuse(_: str) -> None:
    raise JobError("The graph was refused.")


async def _chain(bench: Bench, length: int) -> list[Job]:
    """Add jobs that each wait for the one before."""
    jobs = [await bench.add(1)]
    for number in range(2, length + 1):
        jobs.append(await bench.add(number, after=jobs[-1:]))
    return jobs


async def test_a_chain_runs_in_its_order_without_any_time_passing(bench: Bench) -> None:
    async with running(bench.scheduler()):
        chain = await _chain(bench, 3)
        await until_found(lambda: bench.have_all_ended(chain))
    ended = [(await bench.job(job.id)) for job in chain]
    assert [job.prompt_id for job in ended] == bench.provider.sent
    assert await bench.event_types(chain[0].id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert [await bench.event_types(job.id) for job in chain[1:]] == [UNBLOCKED, UNBLOCKED]


async def test_the_last_of_a_diamond_waits_for_both_sides(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        first = await bench.add(1)
        sides = [await bench.add(2, after=[first]), await bench.add(3, after=[first])]
        last = await bench.add(4, after=sides)
        await until(lambda: len(bench.provider.sent) == 1)
        await settle()
        assert len(bench.provider.sent) == 1
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(last.id))
    assert (await bench.job(last.id)).prompt_id == bench.provider.sent[-1]
    assert (await bench.event_types(last.id)).count("Succeeded") == 1


async def test_a_failure_goes_down_the_chain_and_each_job_names_the_one_before(bench: Bench) -> None:
    bench.provider.on_send = _refuse
    async with running(bench.scheduler()):
        chain = await _chain(bench, 4)
        await until_found(lambda: bench.have_all_ended(chain))
    for before, job in pairwise(chain):
        failed = await bench.job(job.id)
        context = failed.last_event.context
        assert (failed.outcome, context["error"], context["dependency"]) == (
            Outcome.FAILED,
            "dependency_failed",
            before.id,
        )
        assert before.id in str(context["reason"])
        assert await bench.event_types(job.id) == FAILED


async def test_a_cancelled_job_fails_those_that_wait_for_it(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        first, second = await _chain(bench, 2)
        await until(lambda: bool(bench.provider.sent))
        await bench.cancel(first.id)
        await until_found(lambda: bench.has_ended(second.id))
    assert await bench.event_types(second.id) == FAILED


async def test_a_blocked_job_that_is_cancelled_stays_deleted_and_fails_the_next(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        first, second, third = await _chain(bench, 3)
        await bench.cancel(second.id)
        await until_found(lambda: bench.has_ended(third.id))
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(first.id))
        await settle()
    assert await bench.event_types(second.id) == ["Initialized", "Deleted"]
    assert await bench.event_types(third.id) == FAILED


async def test_an_expired_job_fails_those_that_wait_for_it(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        (first,) = await bench.submit(expireAt="2025-09-06T18:20:00Z")
        second = await bench.add(2, after=[first])
        await until(lambda: bool(bench.provider.sent))
        bench.clock.advance(104)
        await until_found(lambda: bench.has_ended(second.id))
    assert await bench.event_types(second.id) == FAILED


async def test_a_job_whose_dependency_is_gone_fails(bench: Bench) -> None:
    orphan = await bench.add(2, after=[make_job(1)])
    async with running(bench.scheduler()):
        await until_found(lambda: bench.has_ended(orphan.id))
    assert (await bench.job(orphan.id)).last_event.context["dependency"] == job_id(1)


async def test_what_another_process_ended_is_found_by_the_poll(bench: Bench) -> None:
    """One process runs jobs, and no event of the other's bus reaches it."""
    bench.provider.hold()
    async with running(bench.elsewhere().scheduler()):
        await settle()
        chain = await _chain(bench, 2)
        bench.clock.advance(POLL_SECONDS)
        await until(lambda: len(bench.provider.sent) == 1)
        await settle()
        await bench.cancel(chain[0].id)
        await settle()
        assert not await bench.has_ended(chain[1].id)
        bench.clock.advance(POLL_SECONDS)
        await until_found(lambda: bench.has_ended(chain[1].id))


async def test_two_schedulers_unblock_a_job_once(bench: Bench) -> None:
    async with running(bench.scheduler(worker_id="a")), running(bench.scheduler(worker_id="b")):
        chain = await _chain(bench, 5)
        await until_found(lambda: bench.have_all_ended(chain))
    assert [await bench.event_types(job.id) for job in chain[1:]] == [UNBLOCKED] * 4


@pytest.mark.parametrize("moment", Moment)
async def test_a_crash_around_the_end_of_a_dependency_leaves_no_job_blocked(bench: Bench, moment: Moment) -> None:
    dying = FreezingStores(bench.stores, stage=Stage.COMFY_RESULT, moment=moment)
    chain = await _chain(bench, 3)
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
    async with running(bench.elsewhere().scheduler(worker_id="heir")):
        await bench.outlive_a_lease()
        await until_found(lambda: bench.have_all_ended(chain))
    assert [await bench.event_types(job.id) for job in chain[1:]] == [UNBLOCKED, UNBLOCKED]


async def test_more_blocked_jobs_than_a_page_are_all_unblocked_by_the_poll(bench: Bench) -> None:
    first = await bench.add(1)
    waiting = [await bench.add(number, after=[first]) for number in range(2, 504)]
    async with running(bench.elsewhere().scheduler(max_in_flight=1)):
        await until_found(lambda: bench.has_ended(first.id))
        bench.clock.advance(POLL_SECONDS)
        await until_found(lambda: _all_are_unblocked(bench, waiting))


async def _all_are_unblocked(bench: Bench, jobs: list[Job]) -> bool:
    return not await bench.stores.queue.blocked(after="", limit=1) and len(jobs) > 500


A, B = job_id(1), job_id(2)


@pytest.mark.parametrize(
    ("outcomes", "becomes"),
    [
        ({A: None, B: None}, None),
        ({A: Outcome.SUCCEEDED, B: None}, None),
        ({A: Outcome.SUCCEEDED, B: Outcome.SUCCEEDED}, "Updated"),
        ({A: None, B: Outcome.FAILED}, "Failed"),
        ({A: Outcome.EXPIRED, B: None}, "Failed"),
        ({A: Outcome.SUCCEEDED, B: Outcome.DELETED}, "Failed"),
        ({A: Outcome.SUCCEEDED}, "Failed"),
    ],
)
def test_what_becomes_of_a_blocked_job(outcomes: Mapping[str, Outcome | None], becomes: str | None) -> None:
    after = resolve(make_blocked(3, A, B), outcomes, at=START)
    assert (after.last_event.type if after else None) == becomes
    assert after is None or not after.is_blocked


def test_waiters_are_known_until_the_second_rotation_after_they_were_added() -> None:
    waiters = Waiters()
    waiters.add([make_blocked(3, A, B), make_blocked(4, B), make_job(5)])
    assert waiters.blocked_by([A]) == [job_id(3)]
    assert waiters.blocked_by([A, B]) == [job_id(3), job_id(4)]
    waiters.rotate()
    waiters.add([make_blocked(4, B)])
    assert waiters.blocked_by([A, B]) == [job_id(3), job_id(4)]
    waiters.rotate()
    assert waiters.blocked_by([A, B]) == [job_id(4)]
