"""WebSocket messages as bytes-to-be: what ComfyUI says, and in which fields."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.json_types import Json, JsonObject

PREVIEW, PREVIEW_WITH_METADATA = 1, 4
JPEG, PNG = 1, 2
TERMINAL: JsonObject = {"cols": 80, "rows": 24}
MEDIA_TYPES = {JPEG: "image/jpeg", PNG: "image/png"}


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """A text message; `fields` is its `data`."""

    type: str
    fields: JsonObject

    @property
    def text(self) -> str:
        return json.dumps({"type": self.type, "data": self.fields})

    @property
    def ends_prompt(self) -> bool:
        return self.type == "executing" and self.fields["node"] is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressState:
    """How far each node touched so far is, as JSON members: a graph of thousands is told at each of its nodes."""

    prompt_id: str
    nodes: Sequence[str]
    ends_prompt = False

    @property
    def text(self) -> str:
        """Return the text as that of any other message."""
        empty = ServerMessage("progress_state", {"prompt_id": self.prompt_id, "nodes": {}}).text
        return f"{empty.removesuffix('}}}')}{', '.join(self.nodes)}}}}}}}"


Said: TypeAlias = ServerMessage | ProgressState


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFrame:
    """An image sent beside the messages; `metadata` is for clients that said they know it."""

    format: int
    content: bytes
    metadata: JsonObject

    @property
    def plain(self) -> bytes:
        return struct.pack(">II", PREVIEW, self.format) + self.content

    @property
    def described(self) -> bytes:
        about = json.dumps({**self.metadata, "image_type": MEDIA_TYPES[self.format]}).encode()
        return struct.pack(">II", PREVIEW_WITH_METADATA, len(about)) + about + self.content


def exec_info(queue_remaining: int) -> JsonObject:
    return {"exec_info": {"queue_remaining": queue_remaining}}


def status(queue_remaining: int, sid: str | None = None) -> ServerMessage:
    fields: JsonObject = {"status": exec_info(queue_remaining)}
    return ServerMessage("status", fields if sid is None else {**fields, "sid": sid})


def features(max_upload_bytes: float) -> JsonObject:
    return {"supports_preview_metadata": True, "max_upload_size": max_upload_bytes}


def feature_flags(max_upload_bytes: float) -> ServerMessage:
    return ServerMessage("feature_flags", features(max_upload_bytes))


def logs(entry: JsonObject) -> ServerMessage:
    """A line that the server has printed, for whoever asked for them."""
    return ServerMessage("logs", {"entries": [entry], "size": TERMINAL})


def executing(prompt_id: str, node_id: str | None) -> ServerMessage:
    """Without a node, and then without its display twin, the prompt has ended."""
    if node_id is None:
        return ServerMessage("executing", {"node": None, "prompt_id": prompt_id})
    return ServerMessage("executing", {"node": node_id, "display_node": node_id, "prompt_id": prompt_id})


def executing_on_connect(node_id: str) -> ServerMessage:
    return ServerMessage("executing", {"node": node_id})


def executed(prompt_id: str, node_id: str, output: Json) -> ServerMessage:
    fields: JsonObject = {"node": node_id, "display_node": node_id, "output": output, "prompt_id": prompt_id}
    return ServerMessage("executed", fields)


def progress(prompt_id: str, node_id: str, value: int, most: int) -> ServerMessage:
    return ServerMessage("progress", {"value": value, "max": most, "prompt_id": prompt_id, "node": node_id})


def node_names(prompt_id: str, node_id: str) -> JsonObject:
    """The ids that ComfyUI repeats for graphs that grow while they run."""
    return {
        "node_id": node_id,
        "prompt_id": prompt_id,
        "display_node_id": node_id,
        "parent_node_id": None,
        "real_node_id": node_id,
    }


def milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
