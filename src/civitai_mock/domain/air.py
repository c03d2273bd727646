"""Parse and print AIRs, the identifiers of resources."""

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Self, TypeAlias

from civitai_mock.domain.dataclass import dataclass
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
CACHED_REFERENCES = 4096
CIVITAI = "civitai"
ANY_TYPE = "model"
# A file of the version (`+96501`), a format (`.safetensors`) and whatever else may follow a number are hints.
NUMBER_PATTERN = re.compile(r"(?P<id>[0-9]+)(?:[^a-zA-Z0-9_-].*)?")
WEIGHTS_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")


@dataclass(frozen=True, kw_only=True)
class Air:
    """Holds the parts of an AIR; `ecosystem` and `type` may be missing (`civitai:101055@128078`).

    What follows from the parts is kept with them: a submission reads its AIRs many times, and `parse_reference` gives
    the same one to many submissions. That takes a quarter off the CPU time of a submission with three networks.
    """

    source: str
    id: str
    ecosystem: str | None = None
    type: str | None = None
    version: str | None = None
    format: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text; raise `InvalidRequestError` for what the official pattern does not accept."""
        match = AIR_PATTERN.fullmatch(text) if len(text) <= MAX_AIR_LENGTH else None
        if match is None or _has_empty_or_dotted_part(text):
            raise InvalidRequestError(
                f"'{text[:MAX_AIR_LENGTH]}' is not a valid AIR; expected"
                " urn:air:{ecosystem}:{type}:{source}:{id}[@{version}]",
            )
        return cls(**match.groupdict())

    def __str__(self) -> str:
        return self.text

    @cached_property
    def text(self) -> str:
        """Return the canonical spelling, with `urn:air:`."""
        named = [part for part in (self.ecosystem, self.type, self.source, self.id) if part]
        version = f"@{self.version}" if self.version else ""
        suffix = f".{self.format}" if self.format else ""
        return "urn:air:" + ":".join(named) + version + suffix

    @cached_property
    def key(self) -> str:
        """Return what two spellings of the same AIR share; AIRs are matched without regard to case."""
        return self.text.lower()

    @cached_property
    def stated_type(self) -> str | None:
        """Return the type in lower case, or None.

        None stands for a type that is left out or is `model`, as in the sample of the v1 description.
        """
        name = (self.type or ANY_TYPE).lower()
        return None if name == ANY_TYPE else name

    @cached_property
    def version_id(self) -> str | None:
        """Return the number of a version on Civitai, which alone says what is meant; None for any other AIR."""
        return _number(self.source, self.version)

    @property
    def model_id(self) -> str:
        """Return the id; on Civitai a format that follows its number is left out."""
        return _number(self.source, self.id) or self.id

    @property
    def identity(self) -> str:
        """Return what all AIRs of one resource share.

        On Civitai ecosystem, type, model, file and format are only hints.
        """
        return self.key if self.version_id is None else f"@{CIVITAI}/{self.version_id}"

    @property
    def is_of_model(self) -> bool:
        """Return whether the AIR names a model on Civitai and leaves its version open."""
        return self.version is None and self.source.lower() == CIVITAI

    @property
    def compressed(self) -> str:
        """Return `@civitai/128078`, as v1 prints models; the whole AIR where there is no version."""
        if self.version_id is not None:
            return self.identity
        return f"@{self.source}/{self.version}" if self.version else self.text

    @cached_property
    def without_file(self) -> Self:
        """Return the AIR of the version, where this one pins a file of it."""
        if self.version is None or self.version_id is None:
            return self
        suffix = next((suffix for suffix in WEIGHTS_SUFFIXES if self.version.lower().endswith(suffix)), "")
        return replace(self, version=self.version_id, format=suffix.removeprefix(".") or self.format)

    @cached_property
    def model_path(self) -> str:
        """Return where a worker keeps the file (capture comfy-graph-sdxl-worker) unless `fileName` overrides it."""
        air = self.without_file
        folder = "" if air.stated_type == "checkpoint" else air.stated_type
        parts = [folder, air.ecosystem or "unknown", air.source, air.id, air.version]
        path = "/".join(part for part in parts if part).lower()
        return path if path.endswith(WEIGHTS_SUFFIXES) else f"{path}.{air.format or 'safetensors'}"


@dataclass(frozen=True, slots=True)
class CompressedAir:
    """Names a version only, as `@{source}/{version}`; the whole AIR is known to the resource store alone."""

    source: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a text; return None where it is not in compressed form."""
        match = COMPRESSED_PATTERN.fullmatch(text)
        return cls(match["source"], match["version"]) if match else None

    def __str__(self) -> str:
        return f"@{self.source}/{self.version}"

    @property
    def version_id(self) -> str | None:
        """Return the number of a version on Civitai; see `Air`."""
        return _number(self.source, self.version)


Reference: TypeAlias = Air | CompressedAir


def parse_reference(text: str) -> Reference:
    """Read an AIR in either form that a v1 request may use; raise `InvalidRequestError` for any other text."""
    return _parse(text) if len(text) > MAX_AIR_LENGTH else _parse_once(text)


def _parse(text: str) -> Reference:
    return CompressedAir.parse(text) or Air.parse(text)


_parse_once = lru_cache(CACHED_REFERENCES)(_parse)


def _number(source: str, text: str | None) -> str | None:
    """Return what a text begins with, if that is an id of Civitai."""
    match = NUMBER_PATTERN.fullmatch(text) if text and source.lower() == CIVITAI else None
    return match["id"] if match else None


def _has_empty_or_dotted_part(text: str) -> bool:
    """Return whether a part is empty or made of dots: in a file name, such parts lead to other folders."""
    return any(part in {"", ".", ".."} for part in re.split(r"[/:@]", text))
