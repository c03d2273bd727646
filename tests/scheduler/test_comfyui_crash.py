"""Kills of the mock between each two steps of a job on a ComfyUI server, and within them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from civitai_mock.bootstrap.stores import open_stores
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.comfyui_standin.state.prompt_stats import PromptFacts
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from tests.scheduler.comfyui_bench import PARAMS, open_standin
from tests.scheduler.conftest import SETTINGS, Bench, open_bench, running
from tests.support.comfyui import HELD, LONGEST_WAIT_SECONDS, Gate, comfyui_on, is_running
from tests.support.dates import START
from tests.support.dying_process import DyingProcess, KillPoint
from tests.support.freezing_stores import Moment
from tests.support.receiver import Receiver
from tests.support.standin import RunningStandin

STAGES = (Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY, Stage.COMFY_RESULT)
KILL_POINTS = [
    *(KillPoint(stage=stage, moment=moment) for stage in STAGES for moment in Moment),
    *(KillPoint(request="POST /prompt", moment=moment) for moment in Moment),
    *(KillPoint(request="GET /view", moment=moment, count=count) for count in (1, 2) for moment in Moment),
    *(KillPoint(blob=True, moment=moment, count=count) for count in (1, 2) for moment in Moment),
]
HASTE = 20  # leases are still renewed in time


class Lives:
    """Has one data folder and one server, on which one mock after the other runs."""

    def __init__(self, folder: Path, standin: RunningStandin, receiver: Receiver) -> None:
        self.clock = VirtualClock(START)
        self.standin = standin
        self._ids = SeededIds()
        self._folder = folder
        self._receiver = receiver

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Bench]:
        on_disk = SETTINGS.model_copy(update={"mongodb_uri": None, "data_dir": self._folder})
        async with (
            open_stores(on_disk) as stores,
            open_bench(self.clock, self._ids, self._receiver, stores=stores) as bench,
        ):
            yield bench

    async def end(self, kill_point: KillPoint) -> Job:
        """Run a mock that takes one job, and kill it."""
        async with self.open() as bench:
            process = DyingProcess(bench.stores, kill_point)
            (job,) = await bench.submit(quantity=2, params=PARAMS)
            async with (
                comfyui_on(self.standin, transport=process.transport) as provider,
                running(bench.scheduler(worker_id="dead", stores=process.stores, provider=provider)),
            ):
                async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                    await process.dead.wait()
                process.release()
        return job

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Bench]:
        """Run another mock on the same data."""
        async with (
            self.open() as bench,
            comfyui_on(self.standin) as provider,
            running(bench.scheduler(worker_id="heir", provider=provider)),
        ):
            yield bench

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait, while the clock goes faster than real time."""
        started = seen = time.monotonic()
        while not await condition():
            assert seen - started < LONGEST_WAIT_SECONDS
            now = time.monotonic()
            self.clock.advance((now - seen) * HASTE)
            seen = now
            await asyncio.sleep(0)

    def facts(self, prompt_id: str | None) -> PromptFacts:
        assert prompt_id is not None
        return self.standin.server.state.stats.facts_of(prompt_id)


@asynccontextmanager
async def lives_on(standin: RunningStandin, folder: Path) -> AsyncIterator[Lives]:
    async with Receiver() as receiver:
        yield Lives(folder, standin, receiver)


async def _check_images(bench: Bench, job: Job) -> None:
    assert [slot.available for slot in job.slots] == [True, True]
    contents = [await bench.read_blob(slot.blob_key) for slot in job.slots]
    assert all(content.startswith(b"\x89PNG") for content in contents)
    assert contents[0] != contents[1]


@pytest.mark.parametrize("kill_point", KILL_POINTS, ids=str)
async def test_a_job_whose_process_was_killed_succeeds_and_has_run_once(tmp_path: Path, kill_point: KillPoint) -> None:
    async with (
        open_standin() as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(kill_point)
        async with lives.next() as bench:
            await lives.until(lambda: bench.has_ended(job.id))
            ended = await bench.job(job.id)
            assert ended.outcome is Outcome.SUCCEEDED
            assert (await bench.event_types(job.id)).count("Succeeded") == 1
            await _check_images(bench, ended)
        facts = lives.facts(ended.prompt_id)
        assert (facts.accepted, facts.started, facts.outcomes) == (1, 1, ["success"])
        assert len(standin.server.state.stats.prompts) == 1


async def test_a_prompt_that_still_runs_when_its_process_is_killed_is_waited_for(tmp_path: Path) -> None:
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER))
        async with lives.next() as bench:
            await lives.until(lambda: _is_sent_again(bench, job.id))
            prompt_id = (await bench.job(job.id)).prompt_id or ""
            assert is_running(standin, prompt_id)
            gate.open()
            await lives.until(lambda: bench.has_ended(job.id))
            assert (await bench.job(job.id)).outcome is Outcome.SUCCEEDED
        assert (lives.facts(prompt_id).accepted, lives.facts(prompt_id).started) == (1, 1)


async def test_a_prompt_that_the_server_lost_as_well_is_sent_again_under_its_id(tmp_path: Path) -> None:
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER))
        standin.go_down()
        gate.open()
        async with lives.next() as bench:
            await standin.come_back()
            await lives.until(lambda: bench.has_ended(job.id))
            ended = await bench.job(job.id)
            assert ended.outcome is Outcome.SUCCEEDED
            await _check_images(bench, ended)
        assert lives.facts(ended.prompt_id).accepted == 2
        assert lives.facts(ended.prompt_id).outcomes.count("success") == 1
        assert len(standin.server.state.stats.prompts) == 1


async def test_a_job_that_was_cancelled_after_its_process_was_killed_is_not_run_again(tmp_path: Path) -> None:
    async with (
        open_standin() as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.PROMPT_PREPARED, moment=Moment.AFTER))
        async with lives.open() as bench:
            await bench.cancel(job.id)
        async with lives.next() as bench:
            (other,) = await bench.submit(params=PARAMS)
            await lives.until(lambda: bench.has_ended(other.id))
            assert (await bench.job(job.id)).outcome is Outcome.DELETED
        assert list(standin.server.state.stats.prompts) == [(await _prompt_of(lives, other))]


async def _prompt_of(lives: Lives, job: Job) -> str | None:
    async with lives.open() as bench:
        return (await bench.job(job.id)).prompt_id


async def _is_sent_again(bench: Bench, job_id: str) -> bool:
    return "ClaimExpired" in await bench.event_types(job_id) and await bench.is_sent(job_id)
