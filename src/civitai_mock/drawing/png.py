"""Write PNG files in the pixel format of ComfyUI's own: 8 bits, RGB."""

import struct
import zlib
from collections.abc import Iterable, Mapping

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fast_zlib import compressobj
from civitai_mock.domain.png import SIGNATURE, chunk, text_chunk

RGB_COLOUR = 2
BIT_DEPTH = 8
GREY = bytes((128, 128, 128))
FAST_LEVEL, SMALL_LEVEL = 1, 6
RAW_STREAM, LITTLE_MEMORY = -12, 4  # a negative window size asks zlib for a stream without header and checksum
BAND_BYTES = 32 * 1024
HEADER = b"\x78\x01"
END = b"\x03\x00"  # a last block with nothing in it
FROM_LEFT, FROM_ABOVE = b"\x01", b"\x02"  # filters: each byte is the difference to that of the neighbouring pixel
ADLER_MODULUS = 65521


@dataclass(frozen=True, slots=True, kw_only=True)
class RgbImage:
    """Holds an image as a PNG file has it: `data` is its compressed scanlines, each after its filter byte."""

    width: int
    height: int
    data: bytes


def compress_scanlines(scanlines: Iterable[bytes | memoryview]) -> bytes:
    compressor = compressobj(FAST_LEVEL)
    return b"".join([*(compressor.compress(part) for part in scanlines), compressor.flush()])


def plain_scanlines(width: int, height: int, colour: bytes) -> bytes:
    """Return compressed scanlines of one colour; rows that repeat themselves are compressed once.

    That is possible because a full flush ends a deflate stream at a whole byte, and what follows does not look back.
    """
    first = FROM_LEFT + colour + bytes(3 * (width - 1))
    line = FROM_ABOVE + bytes(3 * width)
    rows = max(BAND_BYTES // len(line), 1)
    bands, rest = divmod(height - 1, rows)
    stream, checksum = [HEADER], 1
    compressor = zlib.compressobj(SMALL_LEVEL, zlib.DEFLATED, RAW_STREAM, LITTLE_MEMORY)
    for content, times in ((first, 1), (line * rows, bands), (line * rest, 1)):
        if content and times:
            stream.append((compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)) * times)
            checksum = _joined_checksum(checksum, zlib.adler32(content), len(content), times=times)
    return b"".join([*stream, END, struct.pack(">I", checksum)])


def plain_png(width: int, height: int, colour: bytes) -> bytes:
    """Return an image of one colour, which is made in no time whatever its size."""
    return encode_png(RgbImage(width=width, height=height, data=plain_scanlines(width, height, colour)), {})


def encode_png(image: RgbImage, texts: Mapping[str, str]) -> bytes:
    header = struct.pack(">IIBBBBB", image.width, image.height, BIT_DEPTH, RGB_COLOUR, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        *(text_chunk(keyword, text) for keyword, text in texts.items()),
        chunk(b"IDAT", image.data),
        chunk(b"IEND", b""),
    ]
    return b"".join([SIGNATURE, *chunks])


def _joined_checksum(before: int, after: int, length: int, *, times: int) -> int:
    """Return the Adler-32 of a piece and of `times` copies of another one, from their own; `length` is the other's."""
    low, high = before & 0xFFFF, before >> 16
    for _ in range(times):
        low, high = low + (after & 0xFFFF) - 1, high + (after >> 16) + length * (low - 1)
    return high % ADLER_MODULUS << 16 | low % ADLER_MODULUS
