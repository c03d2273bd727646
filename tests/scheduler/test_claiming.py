"""Who gets which job, and when."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from tests.scheduler.conftest import POLL_SECONDS, Bench, running
from tests.support.event_loop import settle, until, until_found


async def test_a_submission_wakes_the_scheduler_without_any_time_passing(bench: Bench) -> None:
    async with running(bench.scheduler()):
        await settle()
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))


@pytest.mark.parametrize(("count", "claims"), [(1, 1), (3, 1), (100, 2), (150, 2), (200, 3)])
async def test_the_queue_is_asked_again_only_if_there_was_as_much_as_was_asked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, count: int, claims: int
) -> None:
    claim, limits = bench.stores.queue.claim, list[int]()

    async def count_claims(stamp: Claim, *, limit: int, only_timed: bool) -> Sequence[Job]:
        limits.append(limit)
        return await claim(stamp, limit=limit, only_timed=only_timed)

    monkeypatch.setattr(bench.stores.queue, "claim", count_claims)
    async with running(bench.scheduler(max_in_flight=1000)):
        await settle()
        limits.clear()
        jobs = await bench.submit(count)
        await until_found(lambda: bench.have_all_ended(jobs))
    assert len(limits) == claims


async def test_a_job_of_another_process_is_found_by_the_poll(bench: Bench) -> None:
    async with running(bench.elsewhere().scheduler()):
        await settle()
        (job,) = await bench.submit()
        await settle()
        assert not await bench.has_ended(job.id)
        bench.clock.advance(POLL_SECONDS)
        await until_found(lambda: bench.has_ended(job.id))


async def test_jobs_start_by_priority_and_then_by_age(bench: Bench) -> None:
    (low,) = await bench.submit(priority="Low")
    bench.clock.advance(1)
    (normal,) = await bench.submit()
    bench.clock.advance(1)
    (high,) = await bench.submit(priority="High")
    bench.clock.advance(1)
    (second,) = await bench.submit()
    async with running(bench.scheduler(max_in_flight=1)):
        await until_found(lambda: bench.has_ended(low.id))
    started = {submission.prompt_id: index for index, submission in enumerate(bench.provider.submissions)}
    order = [started[(await bench.job(job.id)).prompt_id or ""] for job in (high, normal, second, low)]
    assert order == [0, 1, 2, 3]


async def test_no_more_jobs_are_in_flight_than_the_setting_says(bench: Bench) -> None:
    bench.provider.hold()
    jobs = await bench.submit(5)
    async with running(bench.scheduler(max_in_flight=2)):
        await until(lambda: len(bench.provider.sent) == 2)
        await settle()
        assert len(bench.provider.sent) == 2
        bench.provider.go_on()
        await until_found(lambda: bench.have_all_ended(jobs))


async def test_two_schedulers_never_run_the_same_job_twice(bench: Bench) -> None:
    jobs = await bench.submit(120)
    async with (
        running(bench.scheduler(worker_id="a", max_in_flight=7)),
        running(bench.elsewhere().scheduler(worker_id="b", max_in_flight=7)),
    ):
        await until_found(lambda: bench.have_all_ended(jobs))
    assert len(set(bench.provider.sent)) == len(bench.provider.sent) == len(jobs)
    assert {(await bench.job(job.id)).last_event.worker_id for job in jobs} == {"a", "b"}


async def test_a_cancelled_queued_job_is_never_started(bench: Bench) -> None:
    (job,) = await bench.submit()
    await bench.cancel(job.id)
    async with running(bench.scheduler()):
        await settle()
    assert bench.provider.sent == []
    assert await bench.event_types(job.id) == ["Initialized", "Deleted"]


async def test_a_cancelled_running_job_stops_its_prompt_and_stays_deleted(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until(lambda: bool(bench.provider.sent))
        await until_found(lambda: bench.is_sent(job.id))
        await bench.cancel(job.id)
        await until(lambda: bool(bench.provider.cancelled))
        bench.provider.go_on()
        await settle()
    assert bench.provider.cancelled == bench.provider.sent
    assert (await bench.job(job.id)).outcome is Outcome.DELETED
    assert (await bench.event_types(job.id))[-1] == "Deleted"


async def test_a_cancel_by_another_process_is_noticed_at_the_next_poll(bench: Bench) -> None:
    bench.provider.hold()
    other = bench.elsewhere()
    async with running(other.scheduler()):
        (job,) = await bench.submit()
        other.event_bus.publish_work()
        await until_found(lambda: bench.is_sent(job.id))
        await bench.cancel(job.id)
        await settle()
        assert not bench.provider.cancelled
        bench.clock.advance(POLL_SECONDS)
        await until(lambda: bool(bench.provider.cancelled))


async def test_a_cancel_of_which_the_feed_does_not_tell_is_noticed_when_leases_are_renewed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.provider.hold()
    other = bench.elsewhere()
    monkeypatch.setattr(type(bench.stores.feed), "after", _away)
    async with running(other.scheduler()):
        (job,) = await bench.submit()
        other.event_bus.publish_work()
        await until_found(lambda: bench.is_sent(job.id))
        await bench.cancel(job.id)
        bench.clock.advance(8)
        await until(lambda: bool(bench.provider.cancelled))


async def _away(*_: object, **__: object) -> None:
    raise TransientError("away")


@pytest.mark.parametrize("turns", range(12))
async def test_a_job_that_ends_while_leases_are_renewed_is_not_taken_for_lost(bench: Bench, turns: int) -> None:
    """Its last write and the renewal, which may be one group, are `turns` of the event loop apart."""
    bench.provider.hold()
    async with running(bench.scheduler()):
        jobs = await bench.submit(3)
        for job in jobs:
            await until_found(partial(bench.is_sent, job.id))
        with capture_logs() as logs:
            bench.provider.go_on()
            for _ in range(turns):
                await asyncio.sleep(0)
            bench.clock.advance(8)
            await until_found(lambda: bench.have_all_ended(jobs))
            await settle()
    assert "claims lost" not in [line["event"] for line in logs]


async def test_a_job_past_its_deadline_expires(bench: Bench) -> None:
    bench.provider.hold()
    (job,) = await bench.submit(expireAt="2025-09-06T18:20:00Z")
    async with running(bench.scheduler()):
        await until(lambda: bool(bench.provider.sent))
        bench.clock.advance(600)
        await until_found(lambda: bench.has_ended(job.id))
        bench.provider.go_on()
    assert (await bench.event_types(job.id))[-1] == "Expired"
