"""Read type and size of an image from the first bytes of its file, without decoding it."""

from collections.abc import Callable, Mapping

from civitai_mock.domain import png
from civitai_mock.domain.dataclass import dataclass

LONGEST_MAGIC = 16
JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start-of-frame markers among their neighbours
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
JPEG_END = frozenset({0xD9, 0xDA})  # the image itself, or its end: too late for a size
BMP_CORE_HEADER = 12


class BrokenImageError(ValueError):
    """Is raised for bytes that are not an image, or do not go on like one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """Says what the first bytes are; `content_type` follows from them, whatever anybody else said."""

    content_type: str
    width: int
    height: int


def read_header(head: bytes) -> ImageHeader | None:
    """Return None while more bytes are needed; raise `BrokenImageError` for what is not an image."""
    content_type = _type_of(head)
    if content_type is None:
        if len(head) < LONGEST_MAGIC:
            return None
        raise BrokenImageError("not an image")
    try:
        size = SIZES[content_type](head)
    except IndexError:
        return None
    if min(size) < 1:
        raise BrokenImageError("no size")
    return ImageHeader(content_type=content_type, width=size[0], height=size[1])


def _type_of(head: bytes) -> str | None:
    for magic, content_type in MAGIC.items():
        if head.startswith(magic):
            return content_type
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _little(head: bytes, start: int, length: int) -> int:
    """Read a number; raise IndexError for bytes that are not there yet."""
    return int.from_bytes(_part(head, start, length), "little")


def _big(head: bytes, start: int, length: int) -> int:
    return int.from_bytes(_part(head, start, length), "big")


def _part(head: bytes, start: int, length: int) -> bytes:
    if start + length > len(head):
        raise IndexError(start)
    return head[start : start + length]


def _png(head: bytes) -> tuple[int, int]:
    if _part(head, 12, 4) != b"IHDR":
        raise BrokenImageError("no header")
    return _big(head, 16, 4), _big(head, 20, 4)


def _gif(head: bytes) -> tuple[int, int]:
    return _little(head, 6, 2), _little(head, 8, 2)


def _bmp(head: bytes) -> tuple[int, int]:
    """Return a size; the height of an image that is stored from the top down is negative."""
    if _little(head, 14, 4) == BMP_CORE_HEADER:
        return _little(head, 18, 2), _little(head, 20, 2)
    width, height = _part(head, 18, 4), _part(head, 22, 4)
    return int.from_bytes(width, "little", signed=True), abs(int.from_bytes(height, "little", signed=True))


def _webp(head: bytes) -> tuple[int, int]:
    """Return the size of a lossy image, a lossless one, or one with a header of its own."""
    match _part(head, 12, 4):
        case b"VP8 ":
            return _little(head, 26, 2) & 0x3FFF, _little(head, 28, 2) & 0x3FFF
        case b"VP8L":
            bits = _little(head, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return _little(head, 24, 3) + 1, _little(head, 27, 3) + 1
    raise BrokenImageError("unknown kind of WebP")


def _jpeg(head: bytes) -> tuple[int, int]:
    """Look for the segment with the size; those before it may be long: profiles, thumbnails."""
    place = 2
    while True:
        if _big(head, place, 1) != 0xFF:
            raise BrokenImageError("no segment")
        marker = _big(head, place + 1, 1)
        if marker in JPEG_END:
            raise BrokenImageError("no size")
        if marker in JPEG_SIZES:
            return _big(head, place + 7, 2), _big(head, place + 5, 2)
        place += _jpeg_length(head, place, marker)


def _jpeg_length(head: bytes, place: int, marker: int) -> int:
    """Return the length of a segment with its marker, before which there may be any number of fill bytes."""
    if marker == 0xFF:
        return 1
    if marker in JPEG_BARE:
        return 2
    return 2 + max(_big(head, place + 2, 2), 2)


MAGIC: Mapping[bytes, str] = {
    png.SIGNATURE: "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}
SIZES: Mapping[str, Callable[[bytes], tuple[int, int]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/bmp": _bmp,
    "image/webp": _webp,
}
