"""What the first bytes of an image file say."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from civitai_mock.domain.images import BrokenImageError, ImageHeader, read_header
from tests.support.table import table

SIZE = (37, 21)
KINDS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "png": ("PNG", {}, "image/png"),
    "jpeg": ("JPEG", {}, "image/jpeg"),
    "progressive jpeg": ("JPEG", {"progressive": True}, "image/jpeg"),
    "jpeg with a long profile": ("JPEG", {"icc_profile": bytes(150_000)}, "image/jpeg"),
    "gif": ("GIF", {}, "image/gif"),
    "bmp": ("BMP", {}, "image/bmp"),
    "webp": ("WEBP", {}, "image/webp"),
    "lossless webp": ("WEBP", {"lossless": True}, "image/webp"),
    "webp with a profile": ("WEBP", {"icc_profile": bytes(500)}, "image/webp"),
}


def _encoded(kind: str) -> bytes:
    form, options, _ = KINDS[kind]
    file = io.BytesIO()
    Image.new("RGB", SIZE, "teal").save(file, form, **options)
    return file.getvalue()


@table("kind", KINDS)
def test_an_image_tells_its_type_and_size(kind: str) -> None:
    expected = ImageHeader(content_type=KINDS[kind][2], width=SIZE[0], height=SIZE[1])
    assert read_header(_encoded(kind)) == expected


@table("kind", KINDS)
def test_a_beginning_of_any_length_says_the_same_or_asks_for_more(kind: str) -> None:
    whole = _encoded(kind)
    full = read_header(whole)
    headers = [read_header(whole[:length]) for length in range(min(len(whole), 300))]
    assert set(headers) <= {None, full}
    assert headers[0] is None


def test_a_bitmap_that_is_stored_from_the_top_down_has_a_height() -> None:
    bitmap = bytearray(_encoded("bmp"))
    bitmap[22:26] = (-SIZE[1]).to_bytes(4, "little", signed=True)
    assert read_header(bytes(bitmap)) == ImageHeader(content_type="image/bmp", width=SIZE[0], height=SIZE[1])


@table(
    "content",
    [
        b"<!DOCTYPE html><html></html>",
        b'{"error": "not here"}',
        b"%PDF-1.7 and then some more",
        b"\x89PNG\r\n\x1a\n\0\0\0\rJUNK" + bytes(20),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20),
        b"\xff\xd8\xff\xd9" + bytes(20),
        b"\xff\xd8\xff\xe0\0\x02" + bytes(20),
        b"RIFF\0\0\0\0WEBPJUNK" + bytes(20),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(20),
    ],
)
def test_what_is_no_image_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(BrokenImageError):
        read_header(content)
