"""PNG files in the pixel format of ComfyUI's own, and the drawing of a graph's output images; blocking, for threads."""

import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from civitai_mock.domain.png import SIGNATURE, chunk, text_chunk
from civitai_mock.generation.graph_reader.output_images import OutputImages

try:
    from isal.isal_zlib import compressobj
except ImportError:  # no package for this machine: the same images, in more time
    from zlib import compressobj  # type: ignore[assignment]  # the one differs from the other in its annotations

RGB_COLOUR = 2
BIT_DEPTH = 8
FAST = 1
SMALL = 6
RAW, LITTLE_MEMORY = -12, 4  # zlib's way to ask for a stream without header and checksum
BAND_BYTES = 32 * 1024
HEADER = b"\x78\x01"
END = b"\x03\x00"  # a last block with nothing in it
FROM_LEFT, FROM_ABOVE = b"\x01", b"\x02"  # filters: each byte is the difference to that of the neighbouring pixel
ADLER_MODULUS = 65521


@dataclass(frozen=True, slots=True, kw_only=True)
class RgbImage:
    """`data` is compressed scanlines, each with its filter byte."""

    width: int
    height: int
    data: bytes


def compressed(scanlines: Iterable[bytes | memoryview]) -> bytes:
    packer = compressobj(FAST)
    return b"".join([*(packer.compress(part) for part in scanlines), packer.flush()])


def plain_scanlines(width: int, height: int, colour: bytes) -> bytes:
    """Compressed scanlines of one colour; what repeats itself is compressed once.

    After a full flush a deflate stream is at a whole byte, and looks back at nothing.
    """
    first = FROM_LEFT + colour + bytes(3 * (width - 1))
    line = FROM_ABOVE + bytes(3 * width)
    rows = max(BAND_BYTES // len(line), 1)
    bands, rest = divmod(height - 1, rows)
    stream, checksum = [HEADER], 1
    packer = zlib.compressobj(SMALL, zlib.DEFLATED, RAW, LITTLE_MEMORY)
    for content, times in ((first, 1), (line * rows, bands), (line * rest, 1)):
        if content and times:
            stream.append((packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)) * times)
            checksum = _joined(checksum, zlib.adler32(content), len(content), times=times)
    return b"".join([*stream, END, struct.pack(">I", checksum)])


def png(image: RgbImage, texts: Mapping[str, str]) -> bytes:
    header = struct.pack(">IIBBBBB", image.width, image.height, BIT_DEPTH, RGB_COLOUR, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        *(text_chunk(keyword, text) for keyword, text in texts.items()),
        chunk(b"IDAT", image.data),
        chunk(b"IEND", b""),
    ]
    return b"".join([SIGNATURE, *chunks])


def _joined(before: int, after: int, length: int, *, times: int) -> int:
    """The Adler-32 of a piece and of what follows on it `times` times, from that of each; `length` is of the latter."""
    low, high = before & 0xFFFF, before >> 16
    for _ in range(times):
        low, high = low + (after & 0xFFFF) - 1, high + (after >> 16) + length * (low - 1)
    return high % ADLER_MODULUS << 16 | low % ADLER_MODULUS


# One image of a series as a PNG file, with these texts in it; blocking, for threads.
class ImageContent(StrEnum):
    """`BLANK` is plain grey: for load tests of everything but the drawing."""

    DRAWN = "drawn"
    BLANK = "blank"


Draw: TypeAlias = Callable[[OutputImages, int, Mapping[str, str]], bytes]

GREY = bytes((128, 128, 128))
BLANKS_KEPT = 64


def draw_as(images: ImageContent) -> Draw:
    return lambda series, index, texts: draw(series, index, texts=texts, images=images)


def draw(series: OutputImages, index: int, *, texts: Mapping[str, str], images: ImageContent) -> bytes:
    """A PNG file, the same for the same facts; `index` counts within the series."""
    if images == ImageContent.BLANK:
        return png(_blank(series.batch.width, series.batch.height), texts)
    return png(_painted(series, index), texts)


def _painted(series: OutputImages, index: int) -> RgbImage:
    # Imported at the first image: numpy and Pillow would double the time to the server's first answer.
    from civitai_mock.drawing.painter.poster import paint  # noqa: PLC0415

    poster = paint(series, index)
    return RgbImage(width=poster.width, height=poster.height, data=compressed(poster.scanlines()))


@lru_cache(maxsize=BLANKS_KEPT)
def _blank(width: int, height: int) -> RgbImage:
    return RgbImage(width=width, height=height, data=plain_scanlines(width, height, GREY))
