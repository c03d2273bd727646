"""Our own kill -9 between each two steps of a job on a ComfyUI server, and within them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from civitai_mock.bootstrap.stores import open_stores
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.comfyui_standin.state.prompt_stats import PromptFacts
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import Outcome, Stage
from tests.scheduler.conftest import SETTINGS, Bench, open_bench, running
from tests.support.comfyui import HELD, LONGEST_WAIT_SECONDS, Gate, comfyui_on, is_running
from tests.support.dates import START
from tests.support.dying_process import DyingProcess, KillPoint
from tests.support.freezing_stores import Moment
from tests.support.jobs import collect
from tests.support.provider_openers import draw_simulated
from tests.support.receiver import Receiver
from tests.support.standin import RunningStandin, running_standin

MODELS = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"]}
PARAMS: JsonObject = {"prompt": "a fox", "width": 64, "height": 64, "steps": 2}
STAGES = (Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY, Stage.COMFY_RESULT)
KILLS = [
    *(KillPoint(stage=stage, moment=moment) for stage in STAGES for moment in Moment),
    *(KillPoint(request="POST /prompt", moment=moment) for moment in Moment),
    *(KillPoint(request="GET /view", moment=moment, count=count) for count in (1, 2) for moment in Moment),
    *(KillPoint(blob=True, moment=moment, count=count) for count in (1, 2) for moment in Moment),
]
HASTE = 20  # leases are still renewed in time


class Lives:
    """One data folder and one server, and as many lives of a mock as a test asks for."""

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

    async def end(self, killed: KillPoint) -> Job:
        """A life that takes one job, and is killed."""
        async with self.open() as bench:
            mortal = DyingProcess(bench.stores, killed)
            (job,) = await bench.submit(quantity=2, params=PARAMS)
            async with (
                comfyui_on(self.standin, transport=mortal.transport) as provider,
                running(bench.scheduler(worker_id="dead", stores=mortal.stores, provider=provider)),
            ):
                async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                    await mortal.dead.wait()
                mortal.release()
        return job

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Bench]:
        """A life that works on the same data."""
        async with (
            self.open() as bench,
            comfyui_on(self.standin) as provider,
            running(bench.scheduler(worker_id="heir", provider=provider)),
        ):
            yield bench

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """While time goes by, faster than it does."""
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
    contents = [await _content(bench, slot) for slot in job.slots]
    assert all(content.startswith(b"\x89PNG") for content in contents)
    assert contents[0] != contents[1]


async def _content(bench: Bench, slot: Slot) -> bytes:
    blob = await bench.stores.blobs.stat(slot.blob_key)
    assert blob is not None
    return await collect(bench.stores.blobs.read(slot.blob_key, start=0, stop=blob.size))


@pytest.mark.parametrize("killed", KILLS, ids=str)
async def test_a_job_whose_process_was_killed_succeeds_and_has_run_once(tmp_path: Path, killed: KillPoint) -> None:
    async with (
        running_standin(models=MODELS, draw=draw_simulated) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(killed)
        async with lives.next() as bench:
            await lives.until(lambda: bench.ended(job.id))
            ended = await bench.job(job.id)
            assert ended.outcome is Outcome.SUCCEEDED
            assert (await bench.told(job.id)).count("Succeeded") == 1
            await _check_images(bench, ended)
        facts = lives.facts(ended.prompt_id)
        assert (facts.accepted, facts.started, facts.outcomes) == (1, 1, ["success"])
        assert len(standin.server.state.stats.prompts) == 1


async def test_a_prompt_that_still_runs_when_its_process_is_killed_is_waited_for(tmp_path: Path) -> None:
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER))
        async with lives.next() as bench:
            await lives.until(lambda: _is_sent_again(bench, job.id))
            prompt_id = (await bench.job(job.id)).prompt_id or ""
            assert is_running(standin, prompt_id)
            gate.open()
            await lives.until(lambda: bench.ended(job.id))
            assert (await bench.job(job.id)).outcome is Outcome.SUCCEEDED
        assert (lives.facts(prompt_id).accepted, lives.facts(prompt_id).started) == (1, 1)


async def test_a_prompt_that_the_server_lost_as_well_is_sent_again_under_its_id(tmp_path: Path) -> None:
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER))
        standin.go_down()
        gate.open()
        async with lives.next() as bench:
            await standin.come_back()
            await lives.until(lambda: bench.ended(job.id))
            ended = await bench.job(job.id)
            assert ended.outcome is Outcome.SUCCEEDED
            await _check_images(bench, ended)
        assert lives.facts(ended.prompt_id).accepted == 2
        assert lives.facts(ended.prompt_id).outcomes.count("success") == 1
        assert len(standin.server.state.stats.prompts) == 1


async def test_a_job_that_was_cancelled_after_its_process_was_killed_is_not_run_again(tmp_path: Path) -> None:
    async with (
        running_standin(models=MODELS, draw=draw_simulated) as standin,
        lives_on(standin, tmp_path) as lives,
    ):
        job = await lives.end(KillPoint(stage=Stage.PROMPT_PREPARED, moment=Moment.AFTER))
        async with lives.open() as bench:
            await bench.cancel(job.id)
        async with lives.next() as bench:
            (other,) = await bench.submit(params=PARAMS)
            await lives.until(lambda: bench.ended(other.id))
            assert (await bench.job(job.id)).outcome is Outcome.DELETED
        assert list(standin.server.state.stats.prompts) == [(await _prompt_of(lives, other))]


async def _prompt_of(lives: Lives, job: Job) -> str | None:
    async with lives.open() as bench:
        return (await bench.job(job.id)).prompt_id


async def _is_sent_again(bench: Bench, job_id: str) -> bool:
    told = await bench.told(job_id)
    return "ClaimExpired" in told and (await bench.job(job_id)).stage is Stage.SENT_TO_COMFY
