"""Messages of the WebSocket: what ComfyUI sends, and in which fields."""

import json
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

PREVIEW, PREVIEW_WITH_METADATA = 1, 4
JPEG, PNG = 1, 2
TERMINAL_SIZE: JsonObject = {"cols": 80, "rows": 24}
MEDIA_TYPES = {JPEG: "image/jpeg", PNG: "image/png"}


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """Is a text message; `fields` is its `data`."""

    type: str
    fields: JsonObject

    @property
    def text(self) -> str:
        return json.dumps({"type": self.type, "data": self.fields})

    @property
    def ends_prompt(self) -> bool:
        return self.type == "executing" and self.fields["node"] is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressStateMessage:
    """Says how far each node touched so far is.

    `nodes` are JSON members that are encoded already, as a graph of thousands of nodes sends them at each node.
    """

    prompt_id: str
    nodes: Sequence[str]
    ends_prompt = False

    @property
    def text(self) -> str:
        """Return the text as any other message has it."""
        empty = ServerMessage("progress_state", {"prompt_id": self.prompt_id, "nodes": {}}).text
        return f"{empty.removesuffix('}}}')}{', '.join(self.nodes)}}}}}}}"


AnyMessage: TypeAlias = ServerMessage | ProgressStateMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFrame:
    """Is an image sent beside the messages; `metadata` is for clients that said they take it."""

    format: int
    content: bytes
    metadata: JsonObject

    @property
    def plain(self) -> bytes:
        return struct.pack(">II", PREVIEW, self.format) + self.content

    @property
    def with_metadata(self) -> bytes:
        metadata = json.dumps({**self.metadata, "image_type": MEDIA_TYPES[self.format]}).encode()
        return struct.pack(">II", PREVIEW_WITH_METADATA, len(metadata)) + metadata + self.content


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
    """Return a line that the server has printed, for clients that subscribed to the log."""
    return ServerMessage("logs", {"entries": [entry], "size": TERMINAL_SIZE})


def executing(prompt_id: str, node_id: str | None) -> ServerMessage:
    """Return the message for a node that starts; without a node it says that the prompt has ended."""
    if node_id is None:
        return ServerMessage("executing", {"node": None, "prompt_id": prompt_id})
    return ServerMessage("executing", {"node": node_id, "display_node": node_id, "prompt_id": prompt_id})


def executing_on_connect(node_id: str) -> ServerMessage:
    return ServerMessage("executing", {"node": node_id})


def executed(prompt_id: str, node_id: str, output: Json) -> ServerMessage:
    fields: JsonObject = {"node": node_id, "display_node": node_id, "output": output, "prompt_id": prompt_id}
    return ServerMessage("executed", fields)


def progress(prompt_id: str, node_id: str, value: int, maximum: int) -> ServerMessage:
    return ServerMessage("progress", {"value": value, "max": maximum, "prompt_id": prompt_id, "node": node_id})


def node_ids(prompt_id: str, node_id: str) -> JsonObject:
    """Return the ids that ComfyUI repeats for graphs that grow while they run."""
    return {
        "node_id": node_id,
        "prompt_id": prompt_id,
        "display_node_id": node_id,
        "parent_node_id": None,
        "real_node_id": node_id,
    }


def milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
