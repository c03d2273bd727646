"""AIR: the identifier of a resource."""

import re
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

from civitai_mock.domain.errors import InvalidRequestError

# The pattern of the official v2 description, in Python's spelling of named groups; as in the AIR guide, the file of a
# version (`+96501`) may be named where the version is not.
AIR_PATTERN = re.compile(
    r"(?:urn:)?(?:air:)?"
    r"(?:(?P<ecosystem>[a-zA-Z0-9_\-/]+):)?"
    r"(?:(?P<type>[a-zA-Z0-9_\-/]+):)?"
    r"(?P<source>[a-zA-Z0-9_\-/]+):"
    r"(?P<id>[a-zA-Z0-9_\-/.+]+)"
    r"(?:@(?P<version>[a-zA-Z0-9_\-/.=,%+:]+))?"
    r"(?:\.(?P<format>[a-zA-Z0-9_\-]+))?",
    re.IGNORECASE | re.ASCII,
)
COMPRESSED_PATTERN = re.compile(r"@(?P<source>[a-zA-Z0-9_\-/]+?)/(?P<version>[a-zA-Z0-9_\-/.=,%+:]+)")
MAX_AIR_LENGTH = 512
CIVITAI = "civitai"
ANY_TYPE = "model"
# A file of the version (`+96501`), a format (`.safetensors`) and whatever else may follow a number are hints.
NUMBER_PATTERN = re.compile(r"(?P<id>[0-9]+)(?:[^a-zA-Z0-9_-].*)?")
WEIGHTS_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """A parsed AIR; `ecosystem` and `type` may be missing (`civitai:101055@128078`)."""

    source: str
    id: str
    ecosystem: str | None = None
    type: str | None = None
    version: str | None = None
    format: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `InvalidRequestError` for what the official pattern does not accept."""
        match = AIR_PATTERN.fullmatch(text) if len(text) <= MAX_AIR_LENGTH else None
        if match is None or _climbs(text):
            raise InvalidRequestError(
                f"'{text[:MAX_AIR_LENGTH]}' is not a valid AIR; expected"
                " urn:air:{ecosystem}:{type}:{source}:{id}[@{version}]",
            )
        return cls(**match.groupdict())

    def __str__(self) -> str:
        """The canonical spelling, with `urn:air:`."""
        named = [part for part in (self.ecosystem, self.type, self.source, self.id) if part]
        version = f"@{self.version}" if self.version else ""
        suffix = f".{self.format}" if self.format else ""
        return "urn:air:" + ":".join(named) + version + suffix

    @property
    def key(self) -> str:
        """What two spellings of the same AIR share; AIRs are matched without regard to case."""
        return str(self).lower()

    @property
    def stated_type(self) -> str | None:
        """Return it in lower case; None where it is left out, or is `model`, as in the sample of the v1 description."""
        name = (self.type or ANY_TYPE).lower()
        return None if name == ANY_TYPE else name

    @property
    def version_id(self) -> str | None:
        """The number of a version of Civitai's, which alone says what is meant; None for any other AIR."""
        return _number(self.source, self.version)

    @property
    def model_id(self) -> str:
        """The id, on Civitai without a format that follows its number."""
        return _number(self.source, self.id) or self.id

    @property
    def identity(self) -> str:
        """What all AIRs of one resource share: ecosystem, type, model, file and format are hints on Civitai."""
        return self.key if self.version_id is None else f"@{CIVITAI}/{self.version_id}"

    @property
    def is_of_model(self) -> bool:
        """Whether it leaves it open which version of a model of Civitai's is meant."""
        return self.version is None and self.source.lower() == CIVITAI

    @property
    def compressed(self) -> str:
        """`@civitai/128078`, as v1 prints models; the whole AIR where there is no version."""
        if self.version_id is not None:
            return self.identity
        return f"@{self.source}/{self.version}" if self.version else str(self)

    @property
    def without_file(self) -> Self:
        """The AIR of the version, where this one pins a file of it."""
        if self.version is None or self.version_id is None:
            return self
        suffix = next((suffix for suffix in WEIGHTS_SUFFIXES if self.version.lower().endswith(suffix)), "")
        return replace(self, version=self.version_id, format=suffix.removeprefix(".") or self.format)

    @property
    def model_path(self) -> str:
        """Where a worker keeps the file (capture comfy-graph-sdxl-worker), without a `fileName` override."""
        air = self.without_file
        folder = "" if air.stated_type == "checkpoint" else air.stated_type
        parts = [folder, air.ecosystem or "unknown", air.source, air.id, air.version]
        path = "/".join(part for part in parts if part).lower()
        return path if path.endswith(WEIGHTS_SUFFIXES) else f"{path}.{air.format or 'safetensors'}"


@dataclass(frozen=True, slots=True)
class CompressedAir:
    """`@{source}/{version}`: names a version only, so going back needs the resource index."""

    source: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None where `text` is not in compressed form."""
        match = COMPRESSED_PATTERN.fullmatch(text)
        return cls(match["source"], match["version"]) if match else None

    def __str__(self) -> str:
        return f"@{self.source}/{self.version}"

    @property
    def version_id(self) -> str | None:
        """See `Air`."""
        return _number(self.source, self.version)


Reference: TypeAlias = Air | CompressedAir


def parse_reference(text: str) -> Reference:
    """An AIR in either form a v1 request may use."""
    return CompressedAir.parse(text) or Air.parse(text)


def _number(source: str, text: str | None) -> str | None:
    """What a text begins with, if that is an id of Civitai's."""
    match = NUMBER_PATTERN.fullmatch(text) if text and source.lower() == CIVITAI else None
    return match["id"] if match else None


def _climbs(text: str) -> bool:
    """True for path tricks: AIRs become file names, in which an empty part would make for an absolute one."""
    return any(part in {"", ".", ".."} for part in re.split(r"[/:@]", text))
