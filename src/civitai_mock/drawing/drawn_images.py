"""Draw one image of an output node as a PNG file: a painted one, or a blank one."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from civitai_mock.drawing.png import GREY, RgbImage, compress_scanlines, encode_png, plain_scanlines
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.media import ImageContent

BLANKS_KEPT = 64

# Draws one image of an output, by its index there, as a PNG file with these texts; it blocks, so it needs a thread.
Draw: TypeAlias = Callable[[OutputImages, int, Mapping[str, str]], bytes]


def draw_as(content: ImageContent) -> Draw:
    return lambda output, index, texts: draw(output, index, texts=texts, content=content)


def draw(output: OutputImages, index: int, *, texts: Mapping[str, str], content: ImageContent) -> bytes:
    """Return a PNG file, which is always the same for the same facts; `index` counts within the output."""
    if content == ImageContent.BLANK:
        return encode_png(_blank(output.batch.width, output.batch.height), texts)
    return encode_png(_painted(output, index), texts)


def _painted(output: OutputImages, index: int) -> RgbImage:
    # Imported at the first image: numpy and Pillow would double the time to the server's first answer.
    from civitai_mock.drawing.painter.poster import paint  # noqa: PLC0415

    poster = paint(output, index)
    return RgbImage(width=poster.width, height=poster.height, data=compress_scanlines(poster.scanlines()))


@lru_cache(maxsize=BLANKS_KEPT)
def _blank(width: int, height: int) -> RgbImage:
    return RgbImage(width=width, height=height, data=plain_scanlines(width, height, GREY))
