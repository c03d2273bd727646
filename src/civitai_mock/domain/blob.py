"""Blobs are stored bytes with a key, or an image to be drawn; slots are the places of the blobs that a job makes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from civitai_mock.domain.quick_init import quick_init

PREVIEW = "preview"
ETAG_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Describes stored bytes, which are deleted after `keep_until`.

    `etag` is unquoted; `owner` is the consumer whose job stored them, if known.
    """

    key: str
    content_type: str
    size: int
    etag: str
    keep_until: datetime
    owner: str | None = None


@quick_init
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

    def filled(self, *, size: int, etag: str) -> Blob:
        """Return the same blob with its bytes."""
        return Blob(
            key=self.key,
            content_type=self.content_type,
            size=size,
            etag=etag,
            keep_until=self.keep_until,
            owner=self.owner,
        )


def etag_of(sha256: str) -> str:
    """Return the etag of bytes, whose digest is given in hex; it is the same wherever they are kept."""
    return sha256[:ETAG_DIGITS]


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Is the place for one file that a job makes; one with a `name` can be had as an asset under that name."""

    blob_key: str
    seed: int | None = None
    available: bool = False
    name: str | None = None


def blob_keys(job_id: str, slots: int) -> Sequence[str]:
    """Return the keys of all blobs that a job with so many slots can have stored for its consumer."""
    return [blob_key(job_id, place) for place in (*range(slots), PREVIEW)]


def blob_key(job_id: str, place: int | str) -> str:
    """Return 64 upper-case hex digits (capture v1-job-succeeded), the same each time a job is run again.

    `place` is the number of a slot, or a name of what has no slot.
    """
    return hashlib.sha256(f"{job_id}/{place}".encode()).hexdigest().upper()
