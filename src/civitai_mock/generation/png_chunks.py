"""The chunks that a PNG file is made of, and those for texts."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST_KEYWORD = 79


def text_chunk(keyword: str, text: str) -> bytes:
    """tEXt where Latin-1 is enough, as ComfyUI's own writer does, else iTXt."""
    name = keyword.encode("latin-1", "replace")[:LONGEST_KEYWORD]
    try:
        return chunk(b"tEXt", name + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
