"""Draw stand-in images: for the output nodes of graphs, for training samples, and for ImageTransformers."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache, partial
from time import perf_counter
from typing import Self, TypeAlias

from civitai_mock.drawing.png import RgbImage, compress_scanlines, encode_png, plain_scanlines
from civitai_mock.drawing.threads import DrawingThreads
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.infotext import png_texts
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import OutputImages, read_output_images
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.recipe import Recipe
from civitai_mock.ports import Metrics

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


def draw_recipe(recipe: Recipe, graph_text: str) -> bytes:
    graph = json.loads(graph_text)
    outputs = read_output_images(Nodes(graph), load=recipe.loaded.get)
    output = next(output for output in outputs if output.node_id == recipe.node_id)
    texts = png_texts(json.dumps(graph), output)
    return draw(output, recipe.index, texts=texts, content=ImageContent(recipe.image_content))


class StandInArtist:
    """Implements `Artist`: draws and transforms in a few threads, beside those for graphs."""

    def __init__(
        self, *, image_content: ImageContent, drawing_threads: int = 2, metrics: Metrics | None = None
    ) -> None:
        self._image_content = image_content
        self._drawings = (metrics or Metrics()).drawings
        self._threads = DrawingThreads(drawing_threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._threads.aclose()

    async def draw(self, subject: str, *, seed: int) -> bytes:
        output = OutputImages(node_id="", batch=ImageBatch(), passes=(SamplerPass(seed=seed, prompt_text=subject),))
        return await self._drawn(partial(draw, output, 0, texts={}, content=self._image_content))

    async def draw_recipe(self, recipe: Recipe, graph_text: str) -> bytes:
        return await self._drawn(partial(draw_recipe, recipe, graph_text))

    async def _drawn(self, work: Callable[[], bytes]) -> bytes:
        started = perf_counter()
        image = await self._threads.run(work)
        self._drawings.observe((), perf_counter() - started)
        return image

    async def transform(self, transformer: str, image: bytes) -> bytes:
        # Imported at the first image, as Pillow is for drawing.
        from civitai_mock.drawing.transformers import transform  # noqa: PLC0415

        return await self._threads.run(partial(transform, transformer, image))
