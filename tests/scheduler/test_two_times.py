"""Facts of jobs have the time of their namespace; leases, polls and waits have real time."""

import asyncio

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.stages import Stage
from tests.scheduler.conftest import LEASE_SECONDS, Bench, running, running_until_killed
from tests.support.dates import START
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment

YEARS_SECONDS = 10 * 365 * 86_400.0


async def test_nothing_expires_while_the_clock_of_a_namespace_stands(bench: Bench) -> None:
    """Let ten years pass for the machine: the job has a day to end in, and is kept for a month."""
    bench.provider.hold()
    frozen = bench.elsewhere(VirtualClock(START))
    async with running(frozen.scheduler()):
        (job,) = await frozen.submit()
        await until_found(lambda: bench.is_sent(job.id))
        for _ in range(20):
            await bench.pass_time(YEARS_SECONDS / 20)
        assert await bench.is_sent(job.id)
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
        await bench.pass_time(YEARS_SECONDS)
        assert [event.at for event in await bench.stores.jobs.events(job.id)] == [START] * 5


async def test_the_job_of_a_dead_worker_comes_back_while_the_clock_of_its_namespace_stands(bench: Bench) -> None:
    frozen = bench.elsewhere(VirtualClock(START))
    dying = FreezingStores(bench.stores, stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER)
    (job,) = await frozen.submit()
    async with running_until_killed(frozen.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        async with running(bench.elsewhere(frozen.clock).scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: bench.has_ended(job.id))
    assert "ClaimExpired" in await bench.event_types(job.id)
    assert {event.at for event in await bench.stores.jobs.events(job.id)} == {START}


async def test_a_claim_outlives_a_year_that_only_its_namespace_sees(bench: Bench) -> None:
    bench.provider.hold()
    moved = bench.elsewhere(VirtualClock(START))
    async with running(moved.scheduler(worker_id="one")), running(moved.scheduler(worker_id="other")):
        job = await moved.add(1)
        await until_found(lambda: bench.is_sent(job.id))
        before = await bench.job(job.id)
        moved.clock.advance((job.timeout / 2).total_seconds())
        await bench.pass_time(LEASE_SECONDS / 2 - 1)
        held = await bench.job(job.id)
        assert held.claim == before.claim
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert "ClaimExpired" not in await bench.event_types(job.id)


async def test_a_lease_lasts_from_now_on_whatever_the_date_of_the_event(bench: Bench) -> None:
    bench.provider.hold()
    moved = bench.elsewhere(VirtualClock(START))
    moved.clock.advance(YEARS_SECONDS)
    async with running(moved.scheduler()):
        (job,) = await moved.submit()
        await until_found(lambda: bench.is_sent(job.id))
        claim = (await bench.job(job.id)).claim
    assert claim is not None
    assert (claim.at - START).total_seconds() == YEARS_SECONDS
    assert (claim.until - START).total_seconds() == LEASE_SECONDS


async def test_a_request_waits_as_long_in_a_namespace_whose_clock_stands(bench: Bench) -> None:
    bench.provider.hold()
    frozen = bench.elsewhere(VirtualClock(START))
    (job,) = await frozen.submit()
    gone = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(frozen.namespace.use_cases.wait([job.id], gone))
    await settle()
    limit = frozen.namespace.runtime.settings.wait_limit_s
    await bench.pass_time(limit - 1)
    assert not waiting.done()
    await bench.pass_time(1)
    await until(waiting.done)
