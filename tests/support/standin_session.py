"""A stand-in with one HTTP client and one listening socket, for tests about what it answers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from civitai_mock.comfyui_standin.command_line import read_command_line
from civitai_mock.comfyui_standin.options import Durations, ModelNames, StandinOptions
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.ports import Clock
from tests.support.comfyui_listener import Listener, listen_to
from tests.support.standin import DEFAULT_OPTIONS, MODELS, RunningStandin, running_standin

SERVER_ERROR = "500 Internal Server Error\n\nServer got itself in trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinSession:
    """Holds a running stand-in; `listener` has no client id, and hears what goes to everybody."""

    running: RunningStandin
    client: httpx.AsyncClient
    listener: Listener

    @property
    def server(self) -> Standin:
        return self.running.server

    async def post(self, graph: Any, **members: Any) -> httpx.Response:
        return await self.client.post("/prompt", json={"prompt": graph, **members})

    async def submit(self, graph: Any, **members: Any) -> str:
        """Submit a prompt that must be accepted, and return its id."""
        answer = await self.post(graph, **members)
        assert answer.status_code == 200, answer.text
        prompt_id: str = answer.json()["prompt_id"]
        return prompt_id

    async def run(self, graph: Any, **members: Any) -> dict[str, Any]:
        """Run a prompt, the last one in the queue, and return its history entry."""
        prompt_id = await self.submit(graph, **members)
        await self.listener.until_idle()
        return await self.history(prompt_id)

    async def history(self, prompt_id: str) -> dict[str, Any]:
        entry: dict[str, Any] = (await self.client.get(f"/history/{quote(prompt_id, safe='')}")).json()[prompt_id]
        return entry

    async def queue(self) -> Mapping[str, list[str]]:
        """Return the ids of running and pending prompts."""
        items = (await self.client.get("/queue")).json()
        return {name.removeprefix("queue_"): [item[1] for item in found] for name, found in items.items()}


@asynccontextmanager
async def standin_session(
    *,
    models: ModelNames = MODELS,
    clock: Clock | None = None,
    draw: Draw | None = None,
    options: StandinOptions = DEFAULT_OPTIONS,
) -> AsyncIterator[StandinSession]:
    async with (
        running_standin(models=models, clock=clock, draw=draw, options=options) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60) as client,
        listen_to(running) as listener,
    ):
        yield StandinSession(running=running, client=client, listener=listener)


def command_line_options(*argv: object) -> StandinOptions:
    return read_command_line([str(argument) for argument in argv], durations=Durations())


def text_to_image(
    *, seed: int = 1, steps: int = 1, checkpoint: str = "sd15.safetensors", prefix: str = "ComfyUI"
) -> dict[str, Any]:
    """Return a small graph of core nodes, with the ids of ComfyUI's own example."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text", "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": seed,
                "steps": steps,
                "cfg": 7.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": prefix, "images": ["8", 0]}},
    }


def with_inputs(graph: Mapping[str, Any], node_id: str, **inputs: Any) -> dict[str, Any]:
    """Return the graph with some inputs of one node changed."""
    node = graph[node_id]
    return {**graph, node_id: {**node, "inputs": {**node["inputs"], **inputs}}}


def with_node(graph: Mapping[str, Any], node_id: str, class_type: str, **inputs: Any) -> dict[str, Any]:
    return {**graph, node_id: {"class_type": class_type, "inputs": inputs}}


def last_message(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the message that ended a run, from its history entry."""
    kind, fields = entry["status"]["messages"][-1]
    return kind, fields
