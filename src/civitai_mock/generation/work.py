"""What has to be done for a job, as data; the scheduler has one way to do each kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self, TypeAlias

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.prompts.a1111 import IgnoredTag


@dataclass(frozen=True, slots=True, kw_only=True)
class InputImage:
    """An image that a graph reads under `name`: a stored blob or, without `blob_key`, what is behind `url`."""

    name: str
    blob_key: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, source: str, *, name: str) -> Self:
        """From a URL or the key of a blob."""
        return cls(name=name, url=source) if is_url(source) else cls(name=name, blob_key=source)


def is_url(source: str) -> bool:
    """Of a source that is known to be either a URL or the key of a blob."""
    return "://" in source


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRole:
    """A part that several files can play; a graph names the best known of them, `name`.

    `patterns` are regular expressions that are searched for in the whole path of a file, in lower case and with `/`
    between folders: the first one that any file fits says which files are as good.
    """

    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphWork:
    """Have a provider run a graph; a job without slots takes whatever its output nodes make.

    `alternatives` are graphs for the same image, for servers that lack what the ones before need, the best first.
    Where `words_name_embeddings`, a word of a prompt text that is an embedding's name means it, as in A1111. `tags` has
    what a prompt text asks for by the node that loads it: a server that lacks the file leaves the node out, so that
    its outputs are its links, in their order. `ignored_tags` are those that no node was made for.
    """

    graph: Graph
    alternatives: tuple[Graph, ...] = ()
    images: tuple[InputImage, ...] = ()
    roles: tuple[FileRole, ...] = ()
    words_name_embeddings: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    ignored_tags: tuple[IgnoredTag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultWork:
    """Answer `result` after the time that a model would take."""

    result: JsonObject
    seconds: float


class BlobAction(StrEnum):
    """What can be done to a stored blob."""

    UPLOAD = "upload"
    GET = "get"
    PIN = "pin"
    UNPIN = "unpin"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobWork:
    """`duration` is how long the blob has to stay at least, from now; without a `key` it is the job's own."""

    action: BlobAction
    key: str | None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAssetWork:
    """Copy a file of another job of the same consumer."""

    job_id: str
    asset_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAssetsWork:
    """Delete the files of another job of the same consumer."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformWork:
    """Derive an image from a stored one or, without `blob_key`, from a drawn one that stands in for `image_url`."""

    transformer: str
    seconds: float
    blob_key: str | None = None
    image_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An image that shows what an epoch has learnt; `name` is that of its slot."""

    name: str
    prompt_text: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """`model` is the content of the file in the slot `model_name`."""

    number: int
    model_name: str
    model: bytes
    samples: tuple[Sample, ...]

    @property
    def facts(self) -> JsonObject:
        """The number of the epoch and the names of its assets."""
        return {"epoch": self.number, "model": self.model_name, "samples": [sample.name for sample in self.samples]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWork:
    """Make a model better, epoch by epoch."""

    epochs: tuple[Epoch, ...]
    seconds_per_epoch: float


JobWork: TypeAlias = GraphWork | ResultWork | BlobWork | CopyAssetWork | ClearAssetsWork | TransformWork | TrainingWork
