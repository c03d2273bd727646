"""Read the frames of ComfyUI's WebSocket as messages about prompts; junk and broadcasts read as None."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text, as_texts

# Sent first on a connection: previews then say which prompt and node they belong to.
FEATURE_FLAGS = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
IMAGE_TYPES = {1: "image/jpeg", 2: "image/png"}


@dataclass(frozen=True, slots=True)
class SavedFile:
    """Names a file that the server can be asked for; `folder` is output, temp or input."""

    filename: str
    subfolder: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFailure:
    """Says in ComfyUI's own words why a node raised."""

    node_id: str
    node_type: str
    exception_type: str
    message: str
    traceback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """Says that the server has begun with a prompt."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Executing:
    """Says which node runs; `node_id` is None when the server has let go of the prompt, however it ended."""

    prompt_id: str
    node_id: str | None


@dataclass(frozen=True, slots=True)
class NodeActivity:
    """Says how far a node is; most nodes only ever report 0 of 1."""

    prompt_id: str
    node_id: str
    value: float
    maximum: float


@dataclass(frozen=True, slots=True)
class NodeStep(NodeActivity):
    """Reports a step of a node that counts its steps, as samplers do."""


@dataclass(frozen=True, slots=True)
class Executed:
    """Says which files a node has made."""

    prompt_id: str
    node_id: str
    files: tuple[SavedFile, ...]


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Says that all nodes of a prompt have run; its history follows within milliseconds."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Errored:
    """Says that a node raised, which ends the prompt."""

    prompt_id: str
    failure: NodeFailure


@dataclass(frozen=True, slots=True)
class Stopped:
    """Says that a prompt was interrupted, by us or by anybody."""

    prompt_id: str
    node_id: str


@dataclass(frozen=True, slots=True)
class SocketImage:
    """Carries a preview, or a whole image of SaveImageWebsocket."""

    prompt_id: str
    node_id: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PromptActivity:
    """Stands for any other message about a prompt: it is being worked on."""

    prompt_id: str


Message: TypeAlias = (
    Started | Executing | NodeActivity | Executed | Succeeded | Errored | Stopped | SocketImage | PromptActivity
)


@dataclass(slots=True)
class MessageStream:
    """Reads the frames of one connection, in their order."""

    _running: tuple[str, str] | None = field(default=None, init=False)

    def read(self, frame: str | bytes) -> Message | None:
        message = read_message(frame) if isinstance(frame, str) else self._read_bytes(frame)
        if isinstance(message, Executing):
            self._running = (message.prompt_id, message.node_id) if message.node_id else None
        return message

    def _read_bytes(self, frame: bytes) -> SocketImage | None:
        if len(frame) < 8:
            return None
        event, detail = struct.unpack_from(">II", frame)
        if event == PREVIEW:
            return self._read_plain_image(detail, frame[8:])
        if event == PREVIEW_WITH_METADATA:
            return _read_described_image(frame[8 : 8 + detail], frame[8 + detail :])
        return None

    def _read_plain_image(self, image_type: int, content: bytes) -> SocketImage | None:
        """Take the image for one of the running node: it does not say whose it is, and prompts run one at a time."""
        content_type = IMAGE_TYPES.get(image_type)
        if self._running is None or content_type is None:
            return None
        return SocketImage(*self._running, content_type, content)


def read_message(frame: str) -> Message | None:
    """Return None for a message that is not about a prompt, such as `status`, which everybody gets."""
    document = _decode(frame)
    data = as_object(document.get("data"))
    prompt_id = as_text(data.get("prompt_id"))
    kind = as_text(document.get("type"))
    return READERS.get(kind, _read_other)(prompt_id, data) if prompt_id and kind else None


def read_failure(data: JsonObject) -> NodeFailure:
    """Read the data of an `execution_error`, which history keeps as well."""
    return NodeFailure(
        node_id=as_text(data.get("node_id")),
        node_type=as_text(data.get("node_type")),
        exception_type=as_text(data.get("exception_type")),
        message=as_text(data.get("exception_message")).strip(),
        traceback=as_texts(data.get("traceback")),
    )


def read_files(output: Json) -> tuple[SavedFile, ...]:
    """Return the files of one node's output, in its own order within images, gifs, audio and so on."""
    items = [as_object(item) for entries in as_object(output).values() for item in as_list(entries)]
    return tuple(
        SavedFile(name, as_text(item.get("subfolder")), as_text(item.get("type")) or "output")
        for item in items
        if (name := as_text(item.get("filename")))
    )


def _decode(frame: str | bytes) -> JsonObject:
    try:
        return as_object(json.loads(frame))
    except (ValueError, RecursionError):
        return {}


def _read_described_image(metadata: bytes, content: bytes) -> SocketImage | None:
    about = _decode(metadata)
    prompt_id, content_type = as_text(about.get("prompt_id")), as_text(about.get("image_type"))
    if not prompt_id or not content_type:
        return None
    return SocketImage(prompt_id, as_text(about.get("node_id")), content_type, content)


def _read_executing(prompt_id: str, data: JsonObject) -> Message:
    return Executing(prompt_id, as_text(data.get("node")) or None)


def _read_progress(prompt_id: str, data: JsonObject) -> Message:
    return _read_activity(NodeStep, prompt_id, as_text(data.get("node")), data)


def _read_progress_state(prompt_id: str, data: JsonObject) -> Message:
    """Return the progress of the node that is at work; the message lists others as well."""
    for node_id, node in as_object(data.get("nodes")).items():
        if as_object(node).get("state") == "running":
            return _read_activity(NodeActivity, prompt_id, node_id, as_object(node))
    return PromptActivity(prompt_id)


def _read_activity(kind: type[NodeActivity], prompt_id: str, node_id: str, data: JsonObject) -> Message:
    value, maximum = as_number(data.get("value")), as_number(data.get("max"))
    if value is None or maximum is None:
        return PromptActivity(prompt_id)
    return kind(prompt_id, node_id, value, maximum)


def _read_executed(prompt_id: str, data: JsonObject) -> Message:
    return Executed(prompt_id, as_text(data.get("node")), read_files(data.get("output")))


def _read_other(prompt_id: str, _: JsonObject) -> Message:
    return PromptActivity(prompt_id)


READERS: Mapping[str, Callable[[str, JsonObject], Message]] = {
    "execution_start": lambda prompt_id, _: Started(prompt_id),
    "executing": _read_executing,
    "progress": _read_progress,
    "progress_state": _read_progress_state,
    "executed": _read_executed,
    "execution_success": lambda prompt_id, _: Succeeded(prompt_id),
    "execution_error": lambda prompt_id, data: Errored(prompt_id, read_failure(data)),
    "execution_interrupted": lambda prompt_id, data: Stopped(prompt_id, as_text(data.get("node_id"))),
}
