"""Socket frames in, messages out, each about one prompt. Junk, broadcasts and unknown types read as nothing."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text, as_texts


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that the server can be asked for; `folder` is output, temp or input."""

    filename: str
    subfolder: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """ComfyUI's own account of a node that raised."""

    node_id: str
    node_type: str
    exception_type: str
    message: str
    traceback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    prompt_id: str


@dataclass(frozen=True, slots=True)
class Executing:
    """`node_id` is None when the server has let go of the prompt, however it ended."""

    prompt_id: str
    node_id: str | None


@dataclass(frozen=True, slots=True)
class AtWork:
    """How far a node is; most nodes only ever say 0 of 1."""

    prompt_id: str
    node_id: str
    value: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Stepped(AtWork):
    """A step of a node that counts its steps, as samplers do."""


@dataclass(frozen=True, slots=True)
class Executed:
    prompt_id: str
    node_id: str
    files: tuple[SavedFile, ...]


@dataclass(frozen=True, slots=True)
class Succeeded:
    prompt_id: str


@dataclass(frozen=True, slots=True)
class Errored:
    prompt_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Stopped:
    """Interrupted, by us or by anybody."""

    prompt_id: str
    node_id: str


@dataclass(frozen=True, slots=True)
class SocketImage:
    """A preview, or a whole image of SaveImageWebsocket."""

    prompt_id: str
    node_id: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Touched:
    """Something else about a prompt: it is being worked on."""

    prompt_id: str


Message: TypeAlias = Started | Executing | AtWork | Executed | Succeeded | Errored | Stopped | SocketImage | Touched


# Sent first on a connection: previews then say which prompt and node they belong to.
HELLO = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
IMAGE_TYPES = {1: "image/jpeg", 2: "image/png"}


@dataclass(slots=True)
class Stream:
    """The messages of one connection, in their order."""

    _running: tuple[str, str] | None = field(default=None, init=False)

    def read(self, frame: str | bytes) -> Message | None:
        message = read_text(frame) if isinstance(frame, str) else self._read_bytes(frame)
        if isinstance(message, Executing):
            self._running = (message.prompt_id, message.node_id) if message.node_id else None
        return message

    def _read_bytes(self, frame: bytes) -> SocketImage | None:
        if len(frame) < 8:
            return None
        event, detail = struct.unpack_from(">II", frame)
        if event == PREVIEW:
            return self._plain_image(detail, frame[8:])
        if event == PREVIEW_WITH_METADATA:
            return _described_image(frame[8 : 8 + detail], frame[8 + detail :])
        return None

    def _plain_image(self, image_type: int, content: bytes) -> SocketImage | None:
        """It does not say whose it is; a server runs one prompt at a time, so it is that of the running node."""
        content_type = IMAGE_TYPES.get(image_type)
        if self._running is None or content_type is None:
            return None
        return SocketImage(*self._running, content_type, content)


def read_text(frame: str) -> Message | None:
    """None for what is about no prompt, as `status`, which goes to everybody."""
    document = _decoded(frame)
    data = as_object(document.get("data"))
    prompt_id = as_text(data.get("prompt_id"))
    kind = as_text(document.get("type"))
    return READERS.get(kind, _touched)(prompt_id, data) if prompt_id and kind else None


def failure_of(data: JsonObject) -> Failure:
    """The data of an `execution_error`, which history keeps as well."""
    return Failure(
        node_id=as_text(data.get("node_id")),
        node_type=as_text(data.get("node_type")),
        exception_type=as_text(data.get("exception_type")),
        message=as_text(data.get("exception_message")).strip(),
        traceback=as_texts(data.get("traceback")),
    )


def files_of(output: Json) -> tuple[SavedFile, ...]:
    """Of one node; its own order within images, gifs, audio…."""
    items = [as_object(item) for entries in as_object(output).values() for item in as_list(entries)]
    return tuple(
        SavedFile(name, as_text(item.get("subfolder")), as_text(item.get("type")) or "output")
        for item in items
        if (name := as_text(item.get("filename")))
    )


def _decoded(frame: str | bytes) -> JsonObject:
    try:
        return as_object(json.loads(frame))
    except (ValueError, RecursionError):
        return {}


def _described_image(metadata: bytes, content: bytes) -> SocketImage | None:
    about = _decoded(metadata)
    prompt_id, content_type = as_text(about.get("prompt_id")), as_text(about.get("image_type"))
    if not prompt_id or not content_type:
        return None
    return SocketImage(prompt_id, as_text(about.get("node_id")), content_type, content)


def _executing(prompt_id: str, data: JsonObject) -> Message:
    return Executing(prompt_id, as_text(data.get("node")) or None)


def _progress(prompt_id: str, data: JsonObject) -> Message:
    return _step(Stepped, prompt_id, as_text(data.get("node")), data)


def _progress_state(prompt_id: str, data: JsonObject) -> Message:
    """Of the nodes it lists, the one that is at work."""
    for node_id, node in as_object(data.get("nodes")).items():
        if as_object(node).get("state") == "running":
            return _step(AtWork, prompt_id, node_id, as_object(node))
    return Touched(prompt_id)


def _step(kind: type[AtWork], prompt_id: str, node_id: str, data: JsonObject) -> Message:
    value, maximum = as_number(data.get("value")), as_number(data.get("max"))
    if value is None or maximum is None:
        return Touched(prompt_id)
    return kind(prompt_id, node_id, value, maximum)


def _executed(prompt_id: str, data: JsonObject) -> Message:
    return Executed(prompt_id, as_text(data.get("node")), files_of(data.get("output")))


def _touched(prompt_id: str, _: JsonObject) -> Message:
    return Touched(prompt_id)


READERS: Mapping[str, Callable[[str, JsonObject], Message]] = {
    "execution_start": lambda prompt_id, _: Started(prompt_id),
    "executing": _executing,
    "progress": _progress,
    "progress_state": _progress_state,
    "executed": _executed,
    "execution_success": lambda prompt_id, _: Succeeded(prompt_id),
    "execution_error": lambda prompt_id, data: Errored(prompt_id, failure_of(data)),
    "execution_interrupted": lambda prompt_id, data: Stopped(prompt_id, as_text(data.get("node_id"))),
}
