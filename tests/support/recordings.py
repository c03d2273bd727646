"""Read the recorded requests and answers of a real ComfyUI 0.3.64, and compare the stand-in's answers with them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.paths import DATA

RECORDINGS = DATA / "comfyui_recordings"
FIRST_NUMBER = 30  # what the recorded server had counted before
FIRST_COUNTER = 28  # of its output files
CHECKPOINTS = (
    "broken.safetensors", "flux1-dev-fp8.safetensors", "flux1-schnell-fp8.safetensors", "not_a_model.safetensors",
    "sd15_full.safetensors", "sd15_slim.safetensors", "sd15_slim_inpaint.safetensors", "sd3.5_medium.safetensors",
    "sd3.5_medium_incl_clips_t5xxl.safetensors", "sdxl_full.safetensors", "sdxl_refiner_slim.safetensors",
    "sdxl_slim.safetensors", "subdir/sd15_slim_copy.safetensors",
)  # fmt: skip
LORAS = (
    "flux_diffusers.safetensors", "flux_style.safetensors", "not_a_lora.safetensors", "sd15_style_a.safetensors",
    "sd15_style_b.safetensors", "sdxl_style.safetensors",
)  # fmt: skip
MODELS: Mapping[str, Sequence[str]] = {
    "checkpoints": CHECKPOINTS,
    "loras": LORAS,
    "controlnet": ["control_sd15_canny_slim.safetensors"],
}
# What the stand-in does not imitate in its answers, and why.
UNCOMPARED: Mapping[str, str] = {
    "tooltip": "texts for people; the recordings are kept without them",
    "traceback": "lines of ComfyUI's source; the stand-in only names the class",
    "timestamp": "another time",
    "prompt_id": "drawn by the server where a request names none",
}
UNORDERED: Mapping[str, str] = {
    "executed": "a Python set in ComfyUI",
    "current_outputs": "a Python set in ComfyUI",
}
SERVER_PATH = re.compile(r"(?:<server>|/srv)(?:/[^\s']*)?")
TEMP_SUFFIX = re.compile(r"_temp_[a-z]{5}_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """`body` is what was posted."""

    case: str
    body: bytes
    content_type: str
    status: int
    answer: Any
    history: Any


def read_recordings() -> Sequence[Recording]:
    lines = (RECORDINGS / "prompts.jsonl").read_text("utf-8").splitlines()
    return [_recording(json.loads(line)) for line in lines]


def base_graph() -> dict[str, Any]:
    """Return a text-to-image graph for SD 1.5; most recorded requests differ from it in one place."""
    graph: dict[str, Any] = json.loads((DATA / "comfyui_graphs" / "sd1_txt2img.json").read_text("utf-8"))
    return graph


def read_transcript(name: str) -> Mapping[str, Sequence[Any]]:
    """Return the frames of each socket of a recorded scenario: texts as they came, first bytes of binary ones."""
    lines = (DATA / "comfyui_transcripts" / f"{name}.jsonl").read_text("utf-8").splitlines()
    sockets: dict[str, list[Any]] = {}
    for document in map(json.loads, lines):
        if "text" in document or "binary" in document:
            sockets.setdefault(document["ws"], []).append(document.get("text") or document["binary"])
    return sockets


def _recording(document: Mapping[str, Any]) -> Recording:
    return Recording(
        case=document["case"],
        body=_body(document).encode(),
        content_type=document.get("content_type", "application/json"),
        status=document["status"],
        answer=document["answer"],
        history=document.get("history"),
    )


def _body(document: Mapping[str, Any]) -> str:
    if "raw" in document:
        raw: str = document["raw"]
        return raw
    if "changes" not in document:
        return json.dumps(document["request"])
    graph = {node_id: node for node_id, node in {**base_graph(), **document["changes"]}.items() if node is not None}
    return json.dumps({"prompt": graph, **document["request"]})


def comparable(value: Any) -> Any:
    """Remove what differs from one run of a real server to the next, or is not imitated on purpose."""
    match value:
        case dict():
            kept = {name: item for name, item in value.items() if name not in UNCOMPARED}
            return {name: _comparable_member(name, item) for name, item in kept.items()}
        case list():
            return [comparable(item) for item in value]
        case str():
            return TEMP_SUFFIX.sub("_temp_?????_", SERVER_PATH.sub("<server>", value))
    return value


def _comparable_member(name: str, value: Any) -> Any:
    if name in UNORDERED and isinstance(value, list):
        return sorted(value)
    if name == "current_inputs":
        return {each: _comparable_input(given) for each, given in value.items() if each != "prompt"}
    if name == "number":
        return value
    return comparable(value)


def _comparable_input(given: list[Any]) -> list[Any]:
    """Replace tensors: the recording has what Python prints of one, the stand-in a name in the same brackets."""
    return ["<link>" if isinstance(each, str) and each.startswith("<") else each for each in given]
