"""Pictures outside of graphs: samples of a training, and what transformers make of a picture."""

from functools import partial
from typing import Self

from civitai_mock.drawing.png import Pictures, draw
from civitai_mock.drawing.threads import Studio
from civitai_mock.generation.graph_reader.facts import ImageBatch, OutputImages, SamplerPass


class StandInArtist:
    """Implements `Artist`; one picture is drawn at a time, beside those of graphs."""

    def __init__(self, *, pictures: Pictures) -> None:
        self._pictures = pictures
        self._studio = Studio(threads=1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._studio.aclose()

    async def draw(self, subject: str, *, seed: int) -> bytes:
        series = OutputImages(node_id="", frame=ImageBatch(), passes=(SamplerPass(seed=seed, prompt_text=subject),))
        return await self._studio.run(partial(draw, series, 0, texts={}, pictures=self._pictures))

    async def transform(self, transformer: str, picture: bytes) -> bytes:
        # Imported at the first picture, as Pillow is for drawing.
        from civitai_mock.drawing.transformers import transform  # noqa: PLC0415

        return await self._studio.run(partial(transform, transformer, picture))
