"""Draw stand-in images and other files: of recipes, for training samples, and of files that are there."""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Self

from civitai_mock.drawing.drawn_images import draw
from civitai_mock.drawing.threads import DrawingThreads
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.infotext import png_texts
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import OutputImages, read_output_images
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import Derived, ImageContent, ImageFile
from civitai_mock.generation.recipe import GraphRecipe, Recipe
from civitai_mock.ports import LoadInput, Metrics

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.generation.operations import Operation

OPERATION_THREADS = 2


def draw_recipe(recipe: Recipe, graph_text: str) -> bytes:
    """Make the file of a recipe. It blocks, so it needs a thread."""
    if not isinstance(recipe, GraphRecipe):
        # Pillow, PyAV and numpy are imported at the first file that needs them, here and below.
        from civitai_mock.drawing.media.recipes import make_file  # noqa: PLC0415

        return make_file(recipe)
    graph = json.loads(graph_text)
    outputs = read_output_images(Nodes(graph), load=recipe.loaded.get)
    output = next(output for output in outputs if output.node_id == recipe.node_id)
    texts, content = png_texts(json.dumps(graph), output), recipe.image_content
    if recipe.file is None:
        return draw(output, recipe.index, texts=texts, content=content)
    from civitai_mock.drawing.media.recipes import draw_image  # noqa: PLC0415

    return draw_image(output, recipe.index, texts=texts, content=content, file=recipe.file)


class StandInArtist:
    """Implements `Artist`: draws in a few threads, and does operations on files in others, beside those for graphs."""

    def __init__(
        self, *, image_content: ImageContent, drawing_threads: int = 2, metrics: Metrics | None = None
    ) -> None:
        self.image_content = image_content
        self._drawings = (metrics or Metrics()).drawings
        self._threads = DrawingThreads(drawing_threads)
        self._operations = DrawingThreads(OPERATION_THREADS)
        self._can_load = asyncio.Semaphore(OPERATION_THREADS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._threads.aclose()
        await self._operations.aclose()

    async def draw(self, subject: str, *, seed: int) -> bytes:
        output = OutputImages(node_id="", batch=ImageBatch(), passes=(SamplerPass(seed=seed, prompt_text=subject),))
        return await self._drawn(partial(draw, output, 0, texts={}, content=self.image_content))

    async def draw_recipe(self, recipe: Recipe, graph_text: str) -> bytes:
        return await self._drawn(partial(draw_recipe, recipe, graph_text))

    async def _drawn(self, work: Callable[[], bytes]) -> bytes:
        started = perf_counter()
        image = await self._threads.run(work)
        self._drawings.observe((), perf_counter() - started)
        return image

    async def convert(self, image: bytes, file: ImageFile) -> bytes:
        from civitai_mock.drawing.media.image_operations import convert  # noqa: PLC0415

        return await self._threads.run(partial(convert, image, file))

    async def derive(self, operation: "Operation", inputs: Sequence[LoadInput]) -> Derived:
        """Work on few operations at once: each has its files in memory, and their pixels."""
        from civitai_mock.drawing.media.operations import derive, showing  # noqa: PLC0415

        async with self._can_load:
            loaded = [await load() for load in inputs]
            return await self._operations.run(partial(derive, showing(operation, self.image_content), loaded))

    async def transform(self, transformer: str, image: bytes) -> bytes:
        # Imported at the first image, as Pillow is for drawing.
        from civitai_mock.drawing.transformers import transform  # noqa: PLC0415

        return await self._threads.run(partial(transform, transformer, image))
