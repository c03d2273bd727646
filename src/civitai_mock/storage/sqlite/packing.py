"""Pack JSON: as what DEFLATE leaves of it, with a dictionary of what the events of jobs say again and again.

What is small is packed, to a tenth or a third. What is large stays text, as packing it would hold up the event loop.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import orjson

Packed: TypeAlias = bytes | str

# A part of the schema: what is packed with one dictionary cannot be unpacked with another.
DICTIONARY = Path(__file__).with_name("packing_dictionary.txt").read_bytes()
LEVEL = 3
WINDOW_BITS = -13  # a window of 8 KiB, which holds the dictionary and most rows, and neither header nor checksum
MEMORY_LEVEL = 5
STRATEGY = zlib.Z_FIXED  # without tables of its own, which take half of the time to unpack a row; it is no larger
MOST_PACKED = 16 * 1024
# A copy costs 2 us, to begin with the dictionary 20.
_packing = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL, STRATEGY, DICTIONARY)


def pack(*values: object) -> Packed:
    """Return JSON packed, or as text if it is large; each value is a line of it."""
    text = b"\n".join([orjson.dumps(value) for value in values])
    if len(text) > MOST_PACKED:
        return text.decode()
    packing = _packing.copy()
    return packing.compress(text) + packing.flush()


def unpack(stored: Packed) -> Any:  # `Any`, as orjson does not know the type of what it reads
    return orjson.loads(_text_of(stored))


def unpack_lines(stored: Packed) -> Sequence[bytes]:
    """Return the JSON of each value."""
    return _text_of(stored).split(b"\n")


def _text_of(stored: Packed) -> bytes:
    if isinstance(stored, str):
        return stored.encode()
    return zlib.decompressobj(WINDOW_BITS, DICTIONARY).decompress(stored)
