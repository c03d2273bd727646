"""Blobs are stored bytes with a key, or an image to be drawn; slots are the places of the blobs that a job makes."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.maturity import LEVELS, NsfwLevel

PREVIEW = "preview"
ETAG_DIGITS = 32
KNOWN_KEYS = 1024
# Stores may name files by keys, so there is no slash in one, and no dot at its beginning.
KEY_PATTERN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", re.ASCII)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS_OF_DIGIT = 5
ID_BITS = 26 * BITS_OF_DIGIT


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFacts:
    """Says what is known of the content of a blob: its size in pixels, its duration in seconds, and what it shows.

    `job_id` and `workflow_id` are those that made it. One that `is_missing` is never there, and nobody gets one that
    has a `blocked_reason`.
    """

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    nsfw_level: NsfwLevel | None = None
    job_id: str | None = None
    workflow_id: str | None = None
    is_missing: bool = False
    blocked_reason: str | None = None

    def measured(self, other: "BlobFacts") -> Self:
        """Return these facts with the size and the duration that `other` knows."""
        return replace(
            self,
            width=self.width if other.width is None else other.width,
            height=self.height if other.height is None else other.height,
            duration=self.duration if other.duration is None else other.duration,
        )

    def to_json(self) -> JsonObject:
        """Return what is known, as stores keep it."""
        members: JsonObject = {
            "width": self.width,
            "height": self.height,
            "duration": self.duration,
            "nsfwLevel": self.nsfw_level and self.nsfw_level.value,
            "jobId": self.job_id,
            "workflowId": self.workflow_id,
            "isMissing": self.is_missing or None,
            "blockedReason": self.blocked_reason,
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        level = members.get("nsfwLevel")
        return cls(
            width=members.get("width"),
            height=members.get("height"),
            duration=members.get("duration"),
            nsfw_level=None if level is None else LEVELS[level],
            job_id=members.get("jobId"),
            workflow_id=members.get("workflowId"),
            is_missing=members.get("isMissing", False),
            blocked_reason=members.get("blockedReason"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Describes stored bytes, which are deleted after `keep_until`.

    `etag` is unquoted; `owner` is the consumer whose job stored them, if known. `fault` is what was decided to go wrong
    with it.
    """

    key: str
    content_type: str
    size: int
    etag: str
    keep_until: datetime
    owner: str | None = None
    facts: BlobFacts | None = None
    fault: ReadOnlyJson | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndrawnBlob:
    """Describes an image that is drawn when somebody asks for its bytes, by a `recipe` that stores do not read.

    See `generation.recipe`. Until then its size and its etag are unknown.
    """

    key: str
    content_type: str
    recipe: str
    keep_until: datetime
    owner: str | None = None
    facts: BlobFacts | None = None
    fault: ReadOnlyJson | None = None

    def filled(self, *, size: int, etag: str) -> Blob:
        """Return the same blob with its bytes."""
        return Blob(
            key=self.key,
            content_type=self.content_type,
            size=size,
            etag=etag,
            keep_until=self.keep_until,
            owner=self.owner,
            facts=self.facts,
            fault=self.fault,
        )


def etag_of(sha256: str) -> str:
    """Return the etag of bytes, whose digest is given in hex; it is the same wherever they are kept."""
    return sha256[:ETAG_DIGITS]


class Shown(StrEnum):
    """Says what a URL shows of a blob: the file itself, a smaller image of it, or the file while it is written."""

    FILE = "file"
    PREVIEW = "preview"
    STREAM = "stream"


class BlobLink(NamedTuple):
    """Names a blob of ours; a link that `is_signed` is a right to read what it shows, whoever has it.

    `signed_at` is known of URLs, in whole seconds.
    """

    key: str
    shown: Shown = Shown.FILE
    is_signed: bool = True
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Is the place for one file that a job makes; one with a `name` can be had as an asset under that name.

    `facts` are those of its blob, as far as they are known before or once it is made; slots of v1 have none. URLs that
    were signed until the blob `expired_at` a time do not work; one that `is_lost` was available before.
    """

    blob_key: str
    seed: int | None = None
    available: bool = False
    name: str | None = None
    facts: BlobFacts | None = None
    expired_at: datetime | None = None
    is_lost: bool = False

    @property
    def is_as_made(self) -> bool:
        """Return whether nothing has become of its blob since the job ended."""
        return self.expired_at is None and not self.is_lost


def blob_keys(job_id: str, slots: int) -> Sequence[str]:
    """Return the keys of all blobs that a job with so many slots can have stored for its consumer."""
    return [blob_key(job_id, place) for place in (*range(slots), PREVIEW)]


@lru_cache(KNOWN_KEYS)  # a job that runs asks four times for the key of each image
def blob_key(job_id: str, place: int | str) -> str:
    """Return 64 upper-case hex digits (capture v1-job-succeeded), the same each time a job is run again.

    `place` is the number of a slot, or a name of what has no slot.
    """
    return hashlib.sha256(f"{job_id}/{place}".encode()).hexdigest().upper()


def blob_id_of(source: str, extension: str) -> str:
    """Return 26 digits of Crockford's base 32, and an extension with its dot (v2: `….jpeg`); a source has one id."""
    number = int.from_bytes(hashlib.sha256(source.encode()).digest())
    digits = (CROCKFORD[number >> place & len(CROCKFORD) - 1] for place in range(0, ID_BITS, BITS_OF_DIGIT))
    return "".join(digits) + extension
