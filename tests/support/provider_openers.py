"""Open each provider for the contract suite."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from civitai_mock.clock import VirtualClock
from civitai_mock.comfyui_standin.options import Durations, StandinOptions
from civitai_mock.drawing.artist import draw_recipe
from civitai_mock.drawing.drawn_images import draw_as
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.recipe import read_recipe, recipe_text
from civitai_mock.ports import Output, Provider, Submission, UndrawnOutput
from civitai_mock.providers.simulator.simulator import Simulator
from civitai_mock.providers.simulator.timing import INSTANT
from tests.support.comfy_graphs import Graph
from tests.support.comfyui import comfyui_on
from tests.support.dates import START
from tests.support.standin import running_standin

FOREVER = 3600.0
LONG_STEP = 0.1  # ComfyUI can be interrupted between steps only


class ProviderOpener(Protocol):
    """Opens a provider that ends its prompts at once, or, if `slow`, none of them within a test."""

    def __call__(self, *, slow: bool) -> AbstractAsyncContextManager[Provider]: ...


@asynccontextmanager
async def open_simulator(*, slow: bool) -> AsyncIterator[Provider]:
    profile = replace(INSTANT, prompt=FOREVER) if slow else INSTANT
    async with Simulator(
        name="local", clock=VirtualClock(START), profile=profile, image_content=ImageContent.DRAWN
    ) as simulator:
        yield simulator


@asynccontextmanager
async def open_comfyui(*, slow: bool) -> AsyncIterator[Provider]:
    options = StandinOptions(durations=Durations(step=LONG_STEP if slow else 0.0))
    async with running_standin(draw=draw_simulated, options=options) as standin, comfyui_on(standin) as provider:
        yield provider


# Draws what the simulator would make of the same graph.
draw_simulated = draw_as(ImageContent.DRAWN)

PROVIDERS: Mapping[str, ProviderOpener] = {"simulator": open_simulator, "comfyui": open_comfyui}


def submission(prompt_id: str, graph: Graph) -> Submission:
    return Submission(
        prompt_id=prompt_id,
        job_id=f"job of {prompt_id}",
        trace_id=f"00-{'1' * 32}-{'2' * 16}-00",
        graph=graph,
    )


async def content(output: Output | UndrawnOutput, graph: Graph) -> bytes:
    """Return the bytes of a file of a graph, as somebody who asks for them later gets them."""
    if isinstance(output, UndrawnOutput):
        return draw_recipe(read_recipe(recipe_text(output.recipe)), json.dumps(graph))
    return b"".join([chunk async for chunk in output.content])
