"""Pack JSON: as what DEFLATE leaves of it, with a dictionary of what the events of jobs say again and again.

What is small is packed, to a tenth or a third. What is large stays text, as packing it would hold up the event loop.
"""

import zlib
from pathlib import Path
from typing import Any, TypeAlias

import orjson

Packed: TypeAlias = bytes | str

# A part of the schema: what is packed with one dictionary cannot be unpacked with another.
DICTIONARY = Path(__file__).with_name("packing_dictionary.txt").read_bytes()
LEVEL = 3
WINDOW_BITS = -12  # a window of 4 KiB, which holds the dictionary, and neither header nor checksum
MEMORY_LEVEL = 5
MOST_PACKED = 16 * 1024
# A copy costs 2 us, to begin with the dictionary 20.
_packing = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)


def pack(value: object) -> Packed:
    """Return JSON packed, or as text if it is large."""
    text = orjson.dumps(value)
    if len(text) > MOST_PACKED:
        return text.decode()
    packing = _packing.copy()
    return packing.compress(text) + packing.flush()


def unpack(stored: Packed) -> Any:  # `Any`, as orjson does not know the type of what it reads
    if isinstance(stored, str):
        return orjson.loads(stored)
    return orjson.loads(zlib.decompressobj(WINDOW_BITS, DICTIONARY).decompress(stored))
