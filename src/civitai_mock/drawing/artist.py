"""Draw stand-in images: for the output nodes of graphs, for training samples, and for ImageTransformers."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache, partial
from typing import Self, TypeAlias

from civitai_mock.drawing.png import RgbImage, compress_scanlines, encode_png, plain_scanlines
from civitai_mock.drawing.threads import DrawingThreads
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass

GREY = bytes((128, 128, 128))
BLANKS_KEPT = 64

# Draws one image of an output, by its index there, as a PNG file with these texts; it blocks, so it needs a thread.
Draw: TypeAlias = Callable[[OutputImages, int, Mapping[str, str]], bytes]


class ImageContent(StrEnum):
    """Says what images show: a drawing, or plain grey, for load tests of everything but the drawing."""

    DRAWN = "drawn"
    BLANK = "blank"


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


class StandInArtist:
    """Implements `Artist`: draws and transforms one image at a time, in a thread beside those for graphs."""

    def __init__(self, *, image_content: ImageContent) -> None:
        self._image_content = image_content
        self._threads = DrawingThreads(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._threads.aclose()

    async def draw(self, subject: str, *, seed: int) -> bytes:
        output = OutputImages(node_id="", batch=ImageBatch(), passes=(SamplerPass(seed=seed, prompt_text=subject),))
        return await self._threads.run(partial(draw, output, 0, texts={}, content=self._image_content))

    async def transform(self, transformer: str, image: bytes) -> bytes:
        # Imported at the first image, as Pillow is for drawing.
        from civitai_mock.drawing.transformers import transform  # noqa: PLC0415

        return await self._threads.run(partial(transform, transformer, image))
