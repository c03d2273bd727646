"""A stop has one deadline, whatever the store does meanwhile."""

import asyncio
from functools import partial

import pytest

from civitai_mock.scheduler import scheduler
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import settle, until_found
from tests.support.freezing_stores import FreezingStores

ALLOWED_SECONDS = 10.0  # for a busy machine; the limits below are set to a fraction of it


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "CLAIM_SECONDS", 0.02)
    monkeypatch.setattr(scheduler, "RELEASE_SECONDS", 0.02)


@pytest.mark.parametrize("answers", ["never", "away"])
async def test_jobs_that_cannot_be_given_back_are_counted_and_not_waited_for(bench: Bench, answers: str) -> None:
    dying = FreezingStores(bench.stores)
    bench.provider.hold()
    jobs = await bench.submit(3)
    scheduler = bench.scheduler(stores=dying.stores)
    async with asyncio.timeout(ALLOWED_SECONDS), running(scheduler):
        for job in jobs:
            await until_found(partial(bench.is_sent, job.id))
        dying.frozen.set()
        if answers == "away":
            dying.released.set()
    assert scheduler.jobs_left == 3
    assert all([(await bench.job(job.id)).claim for job in jobs])
    dying.released.set()


async def test_a_claim_that_the_store_does_not_answer_holds_up_no_stop(bench: Bench) -> None:
    dying = FreezingStores(bench.stores)
    scheduler = bench.scheduler(stores=dying.stores)
    async with asyncio.timeout(ALLOWED_SECONDS), running(scheduler):
        await settle()
        dying.frozen.set()
        await bench.submit()
        await settle()
    assert scheduler.jobs_left == 0
    dying.released.set()


async def test_jobs_that_are_given_back_or_ended_are_not_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "RELEASE_SECONDS", ALLOWED_SECONDS)  # 20 ms may pass before the jobs are let go
    bench.provider.hold()
    (given_back, cancelled) = await bench.submit(2)
    stopped = bench.scheduler()
    async with running(stopped):
        await until_found(lambda: bench.is_sent(given_back.id))
        await bench.cancel(cancelled.id)
    assert stopped.jobs_left == 0


async def test_a_second_stop_does_not_prolong_the_grace_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "RELEASE_SECONDS", ALLOWED_SECONDS)  # 20 ms may pass before the job is given back
    bench.provider.hold()
    (job,) = await bench.submit()
    stopped = bench.scheduler(grace=0.05)
    async with asyncio.timeout(ALLOWED_SECONDS), running(stopped):
        await until_found(lambda: bench.is_sent(job.id))
        stopped.stop()
        while (await bench.event_types(job.id))[-1] != "LateRejected":
            stopped.stop()
            await asyncio.sleep(0)
    assert stopped.jobs_left == 0
