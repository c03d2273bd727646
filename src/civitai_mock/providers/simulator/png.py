"""PNG files of few colours."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from civitai_mock.generation.png_chunks import SIGNATURE, chunk, text_chunk

PALETTE_COLOUR = 3
FAST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PalettePicture:
    """`colours` are RGB triples; `data` is compressed scanlines, each with its filter byte."""

    width: int
    height: int
    bit_depth: int
    colours: bytes
    data: bytes


def compressed(scanlines: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(FAST)
    return b"".join([*(packer.compress(part) for part in scanlines), packer.flush()])


def png(picture: PalettePicture, texts: Mapping[str, str]) -> bytes:
    header = struct.pack(">IIBBBBB", picture.width, picture.height, picture.bit_depth, PALETTE_COLOUR, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        chunk(b"PLTE", picture.colours),
        *(text_chunk(keyword, text) for keyword, text in texts.items()),
        chunk(b"IDAT", picture.data),
        chunk(b"IEND", b""),
    ]
    return b"".join([SIGNATURE, *chunks])
