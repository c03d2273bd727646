"""The work of a job as data: a class for each kind of work, which the scheduler has an executor for."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.prompts.a1111 import IgnoredTag

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.generation.file_recipes import FileRecipe
    from civitai_mock.generation.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class InputImage:
    """Is an image that a graph reads under `name`: a stored blob or, without `blob_key`, what is behind `url`."""

    name: str
    blob_key: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, source: str, *, name: str) -> Self:
        """Take a URL or the key of a blob."""
        return cls(name=name, url=source) if is_url(source) else cls(name=name, blob_key=source)


def is_url(source: str) -> bool:
    """Return whether a source is a URL; else it is the key of a blob."""
    return "://" in source


def is_web_url(source: str) -> bool:
    """Return whether a source is a URL that has to be fetched; others hold their bytes, or are no URL at all."""
    return source[:8].lower().startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRole:
    """Is a part that several files can play; a graph names the best known of them, `name`.

    `patterns` are regular expressions that are searched for in the whole path of a file, in lower case and with `/`
    between folders: all files that the first matching one finds are equally good.
    """

    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphWork:
    """Has a provider run a graph; a job without slots takes whatever its output nodes make.

    `alternatives` are graphs for the same image, for servers that lack what the ones before need, the best first.
    Where `words_name_embeddings`, a word of a prompt text that is the name of an embedding means it, as in A1111.
    `tags` has, by the node that loads a file, the tag of a prompt text that asks for it: a server that lacks the file
    leaves the node out, so that its links take the places of its outputs, in their order. No node was made for the
    `ignored_tags`. The graph `has_common_shape` if it was built here and reads no image: then many others differ from
    it in texts, seeds and names of files only. Images are given out as `image_file` says; without it as they are made.
    Files of v2 are called as ComfyUI would, behind `asset_prefix`, if there is one. Where it `has_previews` it gives
    out what preview nodes make, too, and not only if there is nothing else. If `has_trace`, what happened is told in
    a file of its own.
    """

    graph: Graph
    alternatives: tuple[Graph, ...] = ()
    images: tuple[InputImage, ...] = ()
    roles: tuple[FileRole, ...] = ()
    words_name_embeddings: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    ignored_tags: tuple[IgnoredTag, ...] = ()
    has_common_shape: bool = False
    image_file: ImageFile | None = None
    asset_prefix: str | None = None
    has_previews: bool = False
    has_trace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultWork:
    """Answers `result` after the time that a model would take."""

    result: JsonObject
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaWork:
    """Makes files of its own, one for each slot of the job, after the time that a model would take.

    They are made when somebody asks for them. `result` has what a job answers beside its files.
    """

    files: "tuple[FileRecipe, ...]"
    seconds: float
    result: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedWork:
    """Does an operation on input files, and takes at least the time that a model would.

    Each of the `inputs` is a URL, a data URL, bare base64, the key of a blob or an AIR, in whose place a drawing
    stands. Files that the operation makes go into the job's slots; a job without slots takes as many as there are.
    Where the operation does not need them (`needs_inputs`), those that cannot be had do not end the job.
    """

    operation: "Operation"
    inputs: tuple[str, ...]
    seconds: float
    needs_inputs: bool = True


class BlobAction(StrEnum):
    """Names what can be done to a stored blob."""

    UPLOAD = "upload"
    GET = "get"
    PIN = "pin"
    UNPIN = "unpin"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobWork:
    """Does something to a blob, which is the job's own without a `key`; it has to stay for at least `duration`."""

    action: BlobAction
    key: str | None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAssetWork:
    """Copies a file of another job of the same consumer."""

    job_id: str
    asset_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAssetsWork:
    """Deletes the files of another job of the same consumer."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveWork:
    """Puts blobs into an archive; `entries` has their keys with the names of their files."""

    entries: tuple[tuple[str, str], ...]
    archive_format: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformWork:
    """Derives an image from a stored one or, without `blob_key`, from a drawn one that stands in for `image_url`."""

    transformer: str
    seconds: float
    blob_key: str | None = None
    image_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Is a file that shows what an epoch has learnt: of a `recipe`, or else a PNG of a text and a seed.

    `name` is that of its slot.
    """

    name: str
    prompt_text: str = ""
    seed: int = 0
    recipe: "FileRecipe | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Is one pass over the training data; `model` is the content of the file in the slot `model_name`."""

    number: int
    model_name: str
    model: bytes
    samples: tuple[Sample, ...]

    @property
    def summary(self) -> JsonObject:
        """Return the number of the epoch and the names of its assets."""
        return {"epoch": self.number, "model": self.model_name, "samples": [sample.name for sample in self.samples]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWork:
    """Makes a model better, epoch by epoch."""

    epochs: tuple[Epoch, ...]
    seconds_per_epoch: float


JobWork: TypeAlias = (
    GraphWork
    | ResultWork
    | MediaWork
    | DerivedWork
    | BlobWork
    | CopyAssetWork
    | ClearAssetsWork
    | ArchiveWork
    | TransformWork
    | TrainingWork
)
