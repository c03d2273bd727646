"""PNG files, chunk by chunk: how they begin, and the chunks that hold texts."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A chunk is the length of its body and its kind, the body, and a checksum of kind and body.
HEADER_SIZE, CHECKSUM_SIZE = 8, 4
TEXT_KINDS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
LONGEST_KEYWORD = 79


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def text_chunk(keyword: str, text: str) -> bytes:
    """Return a tEXt chunk where Latin-1 is enough, as ComfyUI's own writer does, else an iTXt chunk."""
    name = keyword.encode("latin-1", "replace")[:LONGEST_KEYWORD]
    try:
        return chunk(b"tEXt", name + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))
