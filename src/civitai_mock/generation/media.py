"""Media files that are made here: how an image is written, and what comes of an operation on files."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject

PREVIEW_WIDTH = 450  # at most
DEFAULT_QUALITY = 85  # of JPEG and WebP (v2 description: JpegOutputFormat)


class ImageContent(StrEnum):
    """Says what images show: a drawing, or plain grey, for load tests of everything but the drawing."""

    DRAWN = "drawn"
    BLANK = "blank"


class ImageFormat(StrEnum):
    """Names the formats that images are given out in."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"

    @property
    def content_type(self) -> str:
        return "image/" + self  # to format the member takes five times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """Says how an image is written; only JPEG and WebP have a `quality`, 1 to 100.

    With `has_metadata` it says how it was made: a PNG in texts, a JPEG or WebP in its EXIF, a GIF in a comment. That
    ends with a `note`, a text of the caller's, if there is one.
    """

    format: ImageFormat = ImageFormat.JPEG
    quality: int = DEFAULT_QUALITY
    is_lossless: bool = False
    has_metadata: bool = True
    note: str | None = None

    @property
    def content_type(self) -> str:
        return self.format.content_type

    @property
    def members(self) -> JsonObject:
        """Return what `image_file_of` reads; it is made for each image, and `asdict` takes ten times as long."""
        return {
            "format": self.format,
            "quality": self.quality,
            "is_lossless": self.is_lossless,
            "has_metadata": self.has_metadata,
            "note": self.note,
        }


def image_file_of(members: Mapping[str, Any]) -> ImageFile:
    """Read the members of a stored one."""
    return ImageFile(**{**members, "format": ImageFormat(members["format"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInput:
    """Is a file that something is done to; without `content` it could not be had, and `source` is all that is known.

    `source` is what the request says: a URL, the key of a blob, an AIR.
    """

    source: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """Is a file that was made, with all its bytes."""

    content: bytes
    content_type: str
    facts: BlobFacts = field(default_factory=BlobFacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Is what an operation makes: files, members of a result, or both."""

    files: Sequence[MadeFile] = ()
    result: JsonObject | None = None
