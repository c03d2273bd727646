"""ImageContent outside of graphs: samples of a training, and what transformers make of an image."""

from functools import partial
from typing import Self

from civitai_mock.drawing.png import ImageContent, draw
from civitai_mock.drawing.threads import Studio
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass


class StandInArtist:
    """Implements `Artist`; one image is drawn at a time, beside those of graphs."""

    def __init__(self, *, images: ImageContent) -> None:
        self._images = images
        self._studio = Studio(threads=1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._studio.aclose()

    async def draw(self, subject: str, *, seed: int) -> bytes:
        series = OutputImages(node_id="", batch=ImageBatch(), passes=(SamplerPass(seed=seed, prompt_text=subject),))
        return await self._studio.run(partial(draw, series, 0, texts={}, images=self._images))

    async def transform(self, transformer: str, image: bytes) -> bytes:
        # Imported at the first image, as Pillow is for drawing.
        from civitai_mock.drawing.transformers import transform  # noqa: PLC0415

        return await self._studio.run(partial(transform, transformer, image))
