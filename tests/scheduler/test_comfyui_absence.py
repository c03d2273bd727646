"""ComfyUI servers that are away for minutes, with the options that users have and a clock that is moved."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from civitai_mock.bootstrap.providers import open_provider
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import Outcome, Stage
from tests.scheduler.conftest import Bench, running
from tests.support.comfyui import HELD, Gate
from tests.support.event_loop import settle
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import make_settings
from tests.support.standin import RunningStandin, running_standin

MODELS = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"]}
PARAMS: JsonObject = {"prompt": "a fox", "width": 64, "height": 64, "steps": 2}
TURNS = 60  # of the event loop for each second, so that sockets get theirs
LONGEST_SECONDS = 900


@asynccontextmanager
async def working(bench: Bench, *standins: RunningStandin) -> AsyncIterator[None]:
    settings = make_settings(comfy_http_url=",".join(standin.url for standin in standins))
    async with (
        open_provider(settings, clock=bench.clock, ids=bench.ids) as provider,
        running(bench.scheduler(provider=provider)),
    ):
        yield


async def pass_seconds(bench: Bench, seconds: int) -> None:
    for _ in range(seconds):
        bench.clock.advance(1)
        await settle(TURNS)


async def until(bench: Bench, condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(LONGEST_SECONDS):
        if await condition():
            return
        await pass_seconds(bench, 1)
    raise AssertionError("it never came true")


async def ended(bench: Bench, job: Job) -> Job:
    await until(bench, lambda: bench.ended(job.id))
    return await bench.job(job.id)


@pytest.mark.parametrize("minutes", [3, 8])
async def test_a_job_that_no_server_was_there_for_uses_up_no_retry(bench: Bench, minutes: int) -> None:
    async with running_standin(models=MODELS, draw=draw_simulated) as standin:
        standin.go_down()
        async with working(bench, standin):
            (job,) = await bench.submit(retries=0, params=PARAMS)
            await pass_seconds(bench, 60 * minutes)
            assert not await bench.ended(job.id)
            await standin.come_back()
            done = await ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)
    assert "LateRejected" in await bench.told(job.id)


async def test_a_job_whose_server_died_under_it_and_stays_away_uses_up_one_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        working(bench, standin),
    ):
        (job,) = await bench.submit(params=PARAMS)
        await until(bench, lambda: _is_sent(bench, job))
        standin.go_down()
        await pass_seconds(bench, 60 * 6)
        gate.open()
        await standin.come_back()
        done = await ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 1)


async def test_a_job_that_only_waited_in_the_queue_of_a_server_that_restarts_uses_up_no_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        working(bench, standin),
    ):
        jobs = [*await bench.submit(params=PARAMS), *await bench.submit(retries=0, params=PARAMS)]
        await until(bench, lambda: _are_sent(bench, jobs))
        await pass_seconds(bench, 5)
        standin.server.restart()
        gate.open()
        first, second = [await ended(bench, job) for job in jobs]
    assert [(job.outcome, job.retry_attempt) for job in (first, second)] == [
        (Outcome.SUCCEEDED, 1),
        (Outcome.SUCCEEDED, 0),
    ]


async def test_a_job_that_waits_for_room_longer_than_its_timeout_uses_up_no_retry(bench: Bench) -> None:
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        working(bench, standin),
    ):
        before = await bench.submit(4, params=PARAMS, timeout="01:00:00")
        await until(bench, lambda: _are_sent(bench, before))
        (last,) = await bench.submit(params=PARAMS, timeout="00:08:00", retries=0)
        await pass_seconds(bench, 60 * 9)
        assert not await bench.ended(last.id)
        gate.open()
        done = await ended(bench, last)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)


async def _is_sent(bench: Bench, job: Job) -> bool:
    return (await bench.job(job.id)).stage is Stage.SENT_TO_COMFY


async def _are_sent(bench: Bench, jobs: Sequence[Job]) -> bool:
    return all([await _is_sent(bench, job) for job in jobs])
