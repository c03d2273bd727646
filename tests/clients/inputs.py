"""What users hand to a client."""

import json
from pathlib import Path
from typing import Any
from urllib.request import urlopen

CHECKPOINT = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:82098@87153"
UNKNOWN = "urn:air:sd1:checkpoint:civitai:4384@1"
PNG = b"\x89PNG\r\n\x1a\n"
PATIENCE_SECONDS = 60
GRAPH = Path(__file__).parents[2] / "assets" / "comfyui-sd1.json"


def from_text(**changes: Any) -> dict[str, Any]:
    """As in the README of both clients."""
    params = {"prompt": "a fox", "scheduler": "EulerA", "steps": 20, "cfgScale": 7, "width": 512, "height": 512}
    return {"model": CHECKPOINT, "params": params, "additionalNetworks": {LORA: {"strength": 1.0}}} | changes


def from_comfy() -> dict[str, Any]:
    """A graph that names its checkpoint by AIR."""
    graph = json.loads(GRAPH.read_text("utf-8"))
    graph["CheckpointLoaderSimple"]["inputs"]["ckpt_name"] = CHECKPOINT
    return {"params": {"workflow": graph}}


def download(url: str) -> bytes:
    with urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        content: bytes = answer.read()
        return content


def providers_of(url: str, job_id: str) -> dict[str, str]:
    """Return the support of each provider that a status names, which the clients leave out."""
    with urlopen(f"{url}/v1/consumer/jobs/{job_id}", timeout=PATIENCE_SECONDS) as answer:
        providers = json.load(answer)["serviceProviders"]
    return {name: status["support"] for name, status in providers.items()}
