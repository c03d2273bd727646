"""Graphs for tests are recorded ones, which a real server ran, and a small one with knobs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.paths import DATA

RECORDED = [*sorted((DATA / "comfyui_graphs").glob("*.json")), DATA / "captures" / "comfy-graph-sdxl-worker.json"]

Graph = dict[str, Any]


def load_graph(path: Path) -> Graph:
    graph: Graph = json.loads(path.read_text("utf-8"))
    return graph


def recorded_graph(name: str) -> Graph:
    return load_graph(DATA / "comfyui_graphs" / f"{name}.json")


def text_to_image(
    *,
    prompt_text: str = "a red fox in snow",
    negative_text: str = "text, watermark",
    seed: int = 42,
    steps: int = 20,
    width: int = 64,
    height: int = 64,
    batch: int = 1,
    model: str = "sd15.safetensors",
    outputs: Mapping[str, str] | None = None,
) -> Graph:
    """Build a small graph; `outputs` has the class of each output node by its id, all of which show the same images."""
    sampler = {"seed": seed, "steps": steps, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    graph = {
        "4": node("CheckpointLoaderSimple", ckpt_name=model),
        "5": node("EmptyLatentImage", width=width, height=height, batch_size=batch),
        "6": node("CLIPTextEncode", text=prompt_text, clip=["4", 1]),
        "7": node("CLIPTextEncode", text=negative_text, clip=["4", 1]),
        "3": node("KSampler", **sampler, **links),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
    }
    for node_id, class_type in (outputs or {"9": "SaveImage"}).items():
        prefix = {"filename_prefix": "ComfyUI"} if class_type == "SaveImage" else {}
        graph[node_id] = node(class_type, images=["8", 0], **prefix)
    return graph


def node(class_type: str, **inputs: Any) -> Graph:
    return {"class_type": class_type, "inputs": inputs}
