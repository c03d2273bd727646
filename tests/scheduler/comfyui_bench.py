"""Schedulers on stand-in ComfyUI servers, with the options that users have and a clock that tests move."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from civitai_mock.bootstrap.providers import open_provider
from civitai_mock.comfyui_standin.options import ModelNames, StandinOptions
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.ports import Clock
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import settle
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import make_settings
from tests.support.standin import DEFAULT_OPTIONS, RunningStandin, running_standin

MODELS: ModelNames = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"]}
PARAMS: JsonObject = {"prompt": "a fox", "width": 64, "height": 64, "steps": 2}
TURNS = 60  # of the event loop for each second, so that sockets get theirs
LONGEST_SECONDS = 900


def open_standin(
    *, models: ModelNames = MODELS, clock: Clock | None = None, options: StandinOptions = DEFAULT_OPTIONS
) -> AbstractAsyncContextManager[RunningStandin]:
    """Open a server that has the model of the bench's jobs, and draws as the simulator does."""
    return running_standin(models=models, draw=draw_simulated, clock=clock, options=options)


@asynccontextmanager
async def running_on(bench: Bench, *standins: RunningStandin) -> AsyncIterator[None]:
    """Run a scheduler on the servers beside the test."""
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


async def pass_time_until(bench: Bench, condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(LONGEST_SECONDS):
        if await condition():
            return
        await pass_seconds(bench, 1)
    raise AssertionError("it never came true")


async def wait_until_ended(bench: Bench, job: Job) -> Job:
    """Let time pass until the job ends, and return it as it is then."""
    await pass_time_until(bench, lambda: bench.has_ended(job.id))
    return await bench.job(job.id)
