"""ComfyUI servers that are away for minutes, with the options that users have and a clock that is moved."""

from collections.abc import Sequence

import pytest

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from tests.scheduler.comfyui_bench import (
    PARAMS,
    open_standin,
    pass_seconds,
    pass_time_until,
    running_on,
    wait_until_ended,
)
from tests.scheduler.conftest import Bench
from tests.support.comfyui import HELD, Gate


@pytest.mark.parametrize("minutes", [3, 8])
async def test_a_job_that_no_server_was_there_for_uses_up_no_retry(bench: Bench, minutes: int) -> None:
    async with open_standin() as standin:
        standin.go_down()
        async with running_on(bench, standin):
            (job,) = await bench.submit(retries=0, params=PARAMS)
            await pass_seconds(bench, 60 * minutes)
            assert not await bench.has_ended(job.id)
            await standin.come_back()
            done = await wait_until_ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)
    assert "LateRejected" in await bench.event_types(job.id)


async def test_a_job_whose_server_died_under_it_and_stays_away_uses_up_one_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        running_on(bench, standin),
    ):
        (job,) = await bench.submit(params=PARAMS)
        await pass_time_until(bench, lambda: bench.is_sent(job.id))
        standin.go_down()
        await pass_seconds(bench, 60 * 6)
        gate.open()
        await standin.come_back()
        done = await wait_until_ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 1)


async def test_a_job_that_only_waited_in_the_queue_of_a_server_that_restarts_uses_up_no_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        running_on(bench, standin),
    ):
        (running,) = await bench.submit(params=PARAMS)
        await pass_time_until(bench, lambda: bench.is_sent(running.id))
        (waiting,) = await bench.submit(retries=0, params=PARAMS)
        await pass_time_until(bench, lambda: bench.is_sent(waiting.id))
        await pass_seconds(bench, 5)
        standin.server.restart()
        gate.open()
        ended = [await wait_until_ended(bench, job) for job in (running, waiting)]
    assert [(job.outcome, job.retry_attempt) for job in ended] == [
        (Outcome.SUCCEEDED, 1),
        (Outcome.SUCCEEDED, 0),
    ]


async def test_a_job_that_waits_for_room_longer_than_its_timeout_uses_up_no_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        running_on(bench, standin),
    ):
        before = await bench.submit(4, params=PARAMS, timeout="01:00:00")
        await pass_time_until(bench, lambda: _are_sent(bench, before))
        (last,) = await bench.submit(params=PARAMS, timeout="00:08:00", retries=0)
        await pass_seconds(bench, 60 * 9)
        assert not await bench.has_ended(last.id)
        gate.open()
        done = await wait_until_ended(bench, last)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)


async def _are_sent(bench: Bench, jobs: Sequence[Job]) -> bool:
    return all([await bench.is_sent(job.id) for job in jobs])
