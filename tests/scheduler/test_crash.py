"""A worker that dies or stops, before and after each stage of a job."""

from itertools import product

import pytest

from civitai_mock.domain.stages import Stage
from tests.scheduler.conftest import LEASE_SECONDS, Bench, running, running_until_killed
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment

CRASHES = list(product([Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY, Stage.COMFY_RESULT], Moment))
COST_A_RETRY = {(Stage.SENT_TO_COMFY, Moment.AFTER), (Stage.COMFY_RESULT, Moment.BEFORE)}


@pytest.mark.parametrize("prompt_is_lost", [True, False])
@pytest.mark.parametrize(("stage", "moment"), CRASHES)
async def test_a_job_whose_worker_died_succeeds_exactly_once(
    bench: Bench, stage: Stage, moment: Moment, prompt_is_lost: bool
) -> None:
    dying = FreezingStores(bench.stores, stage=stage, moment=moment)
    (job,) = await bench.submit()
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        bench.provider.lost.update(bench.provider.sent if prompt_is_lost else ())
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: bench.has_ended(job.id))
    types = await bench.event_types(job.id)
    assert types.count("Succeeded") == 1
    assert types[-1] == "Succeeded"
    assert types.count("ClaimExpired") == ((stage, moment) != (Stage.COMFY_RESULT, Moment.AFTER))
    assert (await bench.job(job.id)).retry_attempt == (prompt_is_lost and (stage, moment) in COST_A_RETRY)


@pytest.mark.parametrize("moment", Moment)
async def test_a_job_whose_worker_died_at_its_only_write_goes_back_whole_or_has_ended(
    bench: Bench, moment: Moment
) -> None:
    """The simulator forgets its prompts with the process, and its job is stored once, at its end."""
    bench.provider.keeps_prompts, bench.provider.is_done = False, True
    dying = FreezingStores(bench.stores, stage=Stage.COMFY_RESULT, moment=moment)
    (job,) = await bench.submit()
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        bench.provider.lost.update(bench.provider.sent)
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: bench.has_ended(job.id))
    stages = ["Claimed", "Updated", "Updated", "Succeeded"]
    expired = ["ClaimExpired"] if moment is Moment.BEFORE else []
    assert await bench.event_types(job.id) == ["Initialized", *expired, *stages]
    assert (await bench.job(job.id)).retry_attempt == 0


async def test_the_heir_asks_for_the_prompt_that_the_dead_worker_named(bench: Bench) -> None:
    dying = FreezingStores(bench.stores, stage=Stage.SENT_TO_COMFY, moment=Moment.BEFORE)
    (job,) = await bench.submit()
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: bench.has_ended(job.id))
    assert len(bench.provider.sent) == 2
    assert len(set(bench.provider.sent)) == 1


async def test_a_worker_that_comes_back_from_a_stall_lets_go(bench: Bench) -> None:
    """Let another worker take the job over before the first one's provider answers."""
    bench.provider.hold()
    (job,) = await bench.submit()
    async with running(bench.scheduler(worker_id="slow")):
        await until_found(lambda: bench.is_sent(job.id))
        stored = await bench.job(job.id)
        taken = stored.claim_expired(at=bench.clock.now(), reason="stalled")
        assert await bench.stores.jobs.replace(stored, taken)
        async with running(bench.elsewhere().scheduler(worker_id="quick")):
            await until(lambda: len(bench.provider.sent) == 2)
            bench.provider.go_on()
            await until_found(lambda: bench.has_ended(job.id))
            await settle()
    types = await bench.event_types(job.id)
    assert types.count("Succeeded") == 1
    assert (await bench.job(job.id)).last_event.worker_id == "quick"


async def test_a_worker_that_lost_its_claim_leaves_the_prompt_to_its_heir(bench: Bench) -> None:
    bench.provider.hold()
    (job,) = await bench.submit()
    async with running(bench.scheduler(worker_id="slow")):
        await until_found(lambda: bench.is_sent(job.id))
        stored = await bench.job(job.id)
        assert await bench.stores.jobs.replace(stored, stored.claim_expired(at=bench.clock.now(), reason="stalled"))
        async with running(bench.elsewhere().scheduler(worker_id="quick")):
            await until(lambda: len(bench.provider.sent) == 2)
            bench.clock.advance(LEASE_SECONDS / 2)
            await settle()
            assert bench.provider.cancelled == []
            bench.provider.go_on()
            await until_found(lambda: bench.has_ended(job.id))


async def test_a_stop_lets_running_jobs_finish_within_the_grace_time(bench: Bench) -> None:
    bench.provider.hold()
    scheduler = bench.scheduler(grace=60)
    async with running(scheduler):
        (job,) = await bench.submit()
        await until_found(lambda: bench.is_sent(job.id))
        scheduler.stop()
        (late,) = await bench.submit()
        bench.provider.go_on()
    assert await bench.has_ended(job.id)
    assert await bench.event_types(late.id) == ["Initialized"]


@pytest.mark.parametrize("stage", [Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY])
async def test_a_stop_gives_back_what_is_not_done_and_no_retry_is_used_up(bench: Bench, stage: Stage) -> None:
    bench.provider.hold()
    (job,) = await bench.submit()
    async with running(bench.scheduler(grace=0)):
        await until_found(lambda: _has_reached(bench, job.id, stage))
    stopped = await bench.job(job.id)
    assert (stopped.stage, stopped.claim, stopped.retry_attempt) == (Stage.QUEUED, None, 0)
    assert (await bench.event_types(job.id))[-1] == "LateRejected"
    bench.provider.go_on()
    async with running(bench.scheduler(worker_id="next")):
        await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.event_types(job.id)).count("Succeeded") == 1
    assert len(set(bench.provider.sent)) == 1


async def _has_reached(bench: Bench, job_id: str, stage: Stage) -> bool:
    events = await bench.stores.jobs.events(job_id)
    return any(event.stage is stage for event in events)
