"""What a server says over its socket, as plain values; each is about one prompt."""

from dataclasses import dataclass
from typing import TypeAlias


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
class Picture:
    """A preview, or a whole picture of SaveImageWebsocket."""

    prompt_id: str
    node_id: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Touched:
    """Something else about a prompt: it is being worked on."""

    prompt_id: str


Message: TypeAlias = Started | Executing | AtWork | Executed | Succeeded | Errored | Stopped | Picture | Touched
