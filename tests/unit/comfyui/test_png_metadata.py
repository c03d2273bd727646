"""Texts are put into PNG files that go by in pieces; other files, and broken ones, stay as they are."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image, PngImagePlugin

from civitai_mock.providers.comfyui.png_metadata import TextInserter
from tests.support.standin import plain_png
from tests.support.table import table

TEXTS = {"prompt": '{"1": {}}', "parameters": "лиса\nSteps: 1"}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def through(data: bytes, *, size: int) -> bytes:
    inserter = TextInserter(TEXTS)
    return b"".join([*(inserter.feed(piece) for piece in pieces(data, size)), inserter.rest()])


def read_back(data: bytes) -> dict[str, str]:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert isinstance(image, PngImagePlugin.PngImageFile)
    return dict(image.text)


@table("size", [1, 2, 7, 8, 33, 34, 64, 10_000])
def test_the_texts_are_there_wherever_the_stream_is_cut(size: int) -> None:
    assert read_back(through(plain_png(), size=size)) == TEXTS


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_a_text_that_a_file_has_is_kept(size: int) -> None:
    theirs = {"prompt": "theirs", "workflow": "x"}
    assert read_back(through(plain_png(texts=theirs), size=size)) == {**theirs, "parameters": TEXTS["parameters"]}


@table("size", [1, 3, 10_000])
@table(
    "data",
    [
        b"",
        b"\x89PN",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0 a JPEG",
        b"RIFF....WEBP",
        plain_png()[:30],
        plain_png()[:38],
        plain_png(texts={"prompt": "x" * 200})[:50],
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 64,
    ],
    ids=range(9),
)
def test_what_is_no_whole_png_passes_byte_for_byte(data: bytes, size: int) -> None:
    assert through(data, size=size) == data


def test_the_pixels_pass_byte_for_byte() -> None:
    before = plain_png(512, 512)
    after = through(before, size=100)
    assert after.endswith(before[33:])
    assert after.startswith(before[:33])


def test_next_to_nothing_is_held_back() -> None:
    inserter = TextInserter(TEXTS)
    data = plain_png(texts={"long": "x" * 100_000})
    passed = 0
    for number, piece in enumerate(pieces(data[:90_000], 1000), start=1):
        passed += len(inserter.feed(piece))
        assert number * 1000 - passed < 100
