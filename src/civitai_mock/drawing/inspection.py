"""Look into images, videos and sounds: whether they can be decoded, and how large and long they are."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import BinaryIO

import av
from av.container import InputContainer
from PIL import ExifTags, Image

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.errors import UndecodableFileError
from civitai_mock.drawing.pixels.files import NOT_AN_IMAGE, SIDEWAYS

# Only what the first bytes showed is tried: a file that is several things at once is taken for one.
IMAGE_FORMATS: Mapping[str, str] = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
CONTAINERS: Mapping[str, str] = {
    "video/mp4": "mp4",
    "video/webm": "matroska",
    "audio/mp4": "mp4",
    "audio/webm": "matroska",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/aac": "aac",
}
# An image of more pixels is not decoded as a whole, so that its size in memory stays bounded.
MOST_DECODED_PIXELS = 4096 * 4096
DRAFT_SCALE = 8  # JPEG can be decoded at an eighth of its size
MOST_PACKETS = 200  # in which the first frame has to be


def inspect(file: BinaryIO, content_type: str, *, max_pixels: int) -> BlobFacts:
    """Return what `FileInspector` asks for; an image or a frame of a video has at most `max_pixels`."""
    if content_type in IMAGE_FORMATS:
        return _inspect_image(file, IMAGE_FORMATS[content_type], max_pixels)
    return _inspect_container(file, content_type, max_pixels)


def _inspect_image(file: BinaryIO, image_format: str, max_pixels: int) -> BlobFacts:
    try:
        with Image.open(file, formats=(image_format,)) as image:
            width, height = image.size
            _check_pixels(width, height, max_pixels)
            if width * height > MOST_DECODED_PIXELS:
                if image_format != "JPEG":
                    image.verify()
                    return BlobFacts(width=width, height=height)
                image.draft("RGB", (width // DRAFT_SCALE, height // DRAFT_SCALE))
            image.load()
            is_sideways = image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS
    except NOT_AN_IMAGE as error:
        raise UndecodableFileError(f"The {image_format} image cannot be decoded.", cause=str(error)) from error
    return BlobFacts(width=height, height=width) if is_sideways else BlobFacts(width=width, height=height)


def _inspect_container(file: BinaryIO, content_type: str, max_pixels: int) -> BlobFacts:
    kind = content_type.partition("/")[0]
    try:
        with av.open(file, "r", format=CONTAINERS[content_type], metadata_errors="replace") as container:
            facts = _video_facts(container, max_pixels) if kind == "video" else BlobFacts()
            stream = next((stream for stream in container.streams if stream.type == kind), None)
            packets = () if stream is None else islice(container.demux(stream), MOST_PACKETS)
            if not any(packet.decode() for packet in packets):
                raise UndecodableFileError(f"The file has no {kind} in it that can be decoded.")
            duration = None if container.duration is None else container.duration / av.time_base
            return replace(facts, duration=duration)
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        raise UndecodableFileError(f"The {kind} cannot be decoded.", cause=str(error)) from error


def _video_facts(container: InputContainer, max_pixels: int) -> BlobFacts:
    """Return the size of the frames, before one of them is decoded."""
    for stream in container.streams.video[:1]:
        _check_pixels(stream.width, stream.height, max_pixels)
        return BlobFacts(width=stream.width, height=stream.height)
    return BlobFacts()


def _check_pixels(width: int, height: int, most: int) -> None:
    if width < 1 or height < 1:
        raise UndecodableFileError("The file has no size.")
    if width * height > most:
        raise UndecodableFileError(
            f"The file is too large to be decoded: {width} x {height} are more than {most} pixels;"
            " see IMAGE_MAX_PIXELS."
        )
