"""Read the recorded socket transcripts and bodies of a real ComfyUI 0.3.64."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from tests.support.paths import DATA

FOLDER = DATA / "comfyui_transcripts"
EVENT_WITH_METADATA = 4

Frame = str | bytes


@cache
def frames(name: str) -> Sequence[tuple[str, Frame]]:
    """Return sockets and frames in the order of a recording; images are cut after their first bytes."""
    return [(line["ws"], _frame(line)) for line in _lines(name) if "text" in line or "binary" in line]


def frames_of(name: str, *sockets: str) -> Sequence[Frame]:
    return [frame for socket, frame in frames(name) if socket in sockets]


def history(name: str) -> tuple[str, dict[str, Any]]:
    """Return a prompt id, and the body of GET /history/{id}."""
    body = json.loads((FOLDER / "history" / f"{name}.json").read_text("utf-8"))
    return next(iter(body)), body


def queue(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return body


def _lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines():
        yield json.loads(line)


def _frame(line: dict[str, Any]) -> Frame:
    if "text" in line:
        return json.dumps(line["text"])
    if "metadata" in line:
        metadata = json.dumps(line["metadata"]).encode()
        return EVENT_WITH_METADATA.to_bytes(4, "big") + len(metadata).to_bytes(4, "big") + metadata + b"image"
    return bytes.fromhex(line["binary"])
