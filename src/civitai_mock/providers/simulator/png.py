"""PNG files of few colours: the container, and the text chunks in it."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE_COLOUR = 3
LONGEST_KEYWORD = 79
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
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", picture.colours),
        *(_text(keyword, text) for keyword, text in texts.items()),
        _chunk(b"IDAT", picture.data),
        _chunk(b"IEND", b""),
    ]
    return b"".join([SIGNATURE, *chunks])


def _text(keyword: str, text: str) -> bytes:
    """tEXt where Latin-1 is enough, as ComfyUI's own writer does, else iTXt."""
    name = keyword.encode("latin-1", "replace")[:LONGEST_KEYWORD]
    try:
        return _chunk(b"tEXt", name + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
