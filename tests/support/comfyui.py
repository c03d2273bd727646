"""Open the ComfyUI provider on stand-in servers, with intervals that suit a test."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import httpx

from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.comfyui_standin.options import Durations, StandinOptions
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.ports import Output, Outputs, Submission, UndrawnOutput
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import ComfyOptions, Timeouts
from civitai_mock.providers.comfyui.protocol.tracker import LossLimits
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfy_graphs import Graph
from tests.support.standin import RunningStandin
from tests.support.standin_session import text_to_image

TICK = timedelta(milliseconds=10)
IMPATIENT = ComfyOptions(
    poll_interval=10 * TICK,
    socketless_poll_interval=2 * TICK,
    health_interval=10 * TICK,
    server_wait=100 * TICK,
    stall_timeout=500 * TICK,
    move_after=20 * TICK,
    cooldown=20 * TICK,
    longest_cooldown=40 * TICK,
    longest_backoff=5 * TICK,
    loss_limits=LossLimits(absent=5 * TICK, unreachable=40 * TICK),
    timeouts=Timeouts(ordinary=100 * TICK, transfer=200 * TICK),
)
HELD = StandinOptions(durations=Durations(step=1.0))
ENDLESS = StandinOptions(durations=Durations(step=0.005))
MOST_STEPS = 10_000
LONGEST_WAIT_SECONDS = 60.0
SEEDS = count(1)


class Gate(SystemClock):
    """Is a stand-in's clock on which simulated work stands still until the gate opens."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """As long as the gate is closed, whatever `seconds` says."""
        del seconds
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Holds the outcome of a job, and how many times it was tried."""

    contents: list[bytes]
    worker: str
    tries: int


@asynccontextmanager
async def comfyui_on(
    *standins: RunningStandin, options: ComfyOptions = IMPATIENT, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[ComfyUI]:
    urls = [standin.url for standin in standins]
    async with comfyui_at(urls, options=options, transport=transport) as provider:
        yield provider


@asynccontextmanager
async def comfyui_at(
    urls: Sequence[str], *, options: ComfyOptions = IMPATIENT, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[ComfyUI]:
    servers = parse_servers(",".join(urls))
    async with ComfyUI(
        name="local", servers=servers, clock=SystemClock(), ids=RandomIds(), options=options, transport=transport
    ) as provider:
        yield provider


def make_submission(graph: Graph | None = None, *, resources: Sequence[JobResource] = ()) -> Submission:
    """Make a submission with a seed of its own, so that nothing is cached."""
    return Submission(
        job_id="job",
        prompt_id=str(uuid.uuid4()),
        trace_id="00-1-2-00",
        graph=graph or text_to_image(seed=next(SEEDS)),
        resources=resources,
    )


def endless_submission() -> Submission:
    return make_submission(text_to_image(seed=next(SEEDS), steps=MOST_STEPS))


async def finish(provider: ComfyUI, submission: Submission, *, most_tries: int = 6) -> Finished:
    """Send and collect like the scheduler, but without pauses."""
    for tries in range(1, most_tries + 1):
        try:
            await provider.send(submission)
            outputs = await provider.collect(submission.prompt_id)
            return Finished(contents=await contents_of(outputs), worker=str(outputs.facts["worker"]), tries=tries)
        except TransientError:
            if tries == most_tries:
                raise
    raise AssertionError


async def contents_of(outputs: Outputs) -> list[bytes]:
    return [await content_of(output) for output in outputs.items]


async def content_of(output: Output | UndrawnOutput) -> bytes:
    """Return the bytes of a file, which a ComfyUI always has."""
    assert isinstance(output, Output)
    return b"".join([chunk async for chunk in output.content])


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop, which has real sockets to serve, run until the condition is true."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came true")
        await asyncio.sleep(0)


def is_running(standin: RunningStandin, prompt_id: str) -> bool:
    running = standin.server.life.queue.running
    return running is not None and running.prompt_id == prompt_id


def is_pending(standin: RunningStandin, prompt_id: str) -> bool:
    return prompt_id in {item.prompt_id for item in standin.server.life.queue.pending}
