"""Every image has the pixel format of a real one, so that clients can go on working with it."""

import asyncio
import io
import zlib
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
from PIL import Image

from civitai_mock.comfyui_standin.image_conversion import preview_jpeg
from civitai_mock.drawing import png
from civitai_mock.drawing.artist import StandInArtist
from civitai_mock.drawing.drawn_images import draw
from civitai_mock.drawing.transformers import TRANSFORMERS, transform
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageContent
from tests.support.standin import plain_png

WIDTH, HEIGHT = 96, 64
BATCH = ImageBatch(width=WIDTH, height=HEIGHT)
SIZES = [(1, 1), (2, 3), (33, 65), (300, 200), (4096, 31), (3, 4096), (1600, 1600)]


def result(images: ImageContent, batch: ImageBatch = BATCH) -> bytes:
    output = OutputImages(node_id="9", batch=batch, passes=(SamplerPass(seed=1, prompt_text="a red fox"),))
    return draw(output, 0, texts={"prompt": "{}"}, content=images)


async def _sampled(images: ImageContent) -> bytes:
    async with StandInArtist(image_content=images) as artist:
        return await artist.draw("a fox", seed=1)


def sample(images: ImageContent) -> bytes:
    return asyncio.run(_sampled(images))


def grey() -> bytes:
    """Return an image of one channel."""
    return plain_png(WIDTH, HEIGHT)


def preview(image: bytes) -> bytes:
    return preview_jpeg(image, share=0.5)


MAKERS: Mapping[str, Callable[[], bytes]] = {
    **{f"result {kind}": partial(result, kind) for kind in ImageContent},
    **{f"training sample {kind}": partial(sample, kind) for kind in ImageContent},
    **{f"{name} of {kind}": partial(transform, name, result(kind)) for name in TRANSFORMERS for kind in ImageContent},
    **{f"{name} of a grey image": partial(transform, name, grey()) for name in TRANSFORMERS},
    **{f"preview of {kind}": partial(preview, result(kind)) for kind in ImageContent},
    "preview of a grey image": partial(preview, grey()),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_an_image_can_be_worked_with_as_the_real_one(maker: str) -> None:
    content, mode = MAKERS[maker](), "RGBA" if "Rembg" in maker else "RGB"
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == mode
        assert np.asarray(image).shape == (image.height, image.width, len(mode))
        assert np.asarray(image).dtype == np.uint8
        if image.format == "PNG":
            assert (content[24], content[25]) == (8, {"RGB": 2, "RGBA": 6}[mode])
        if mode == "RGB":
            image.save(io.BytesIO(), "JPEG")
        image.save(io.BytesIO(), "WEBP")


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("images", ImageContent)
def test_every_line_is_there_and_the_checksum_is_right(width: int, height: int, images: ImageContent) -> None:
    content = result(images, ImageBatch(width=width, height=height))
    start = content.index(b"IDAT") + 4
    size = int.from_bytes(content[start - 8 : start - 4], "big")
    assert len(zlib.decompress(content[start : start + size])) == height * (1 + 3 * width)
    with Image.open(io.BytesIO(content)) as image:
        assert np.asarray(image).shape == (height, width, 3)


def test_a_blank_image_stays_small() -> None:
    assert len(result(ImageContent.BLANK, ImageBatch(width=1024, height=1024))) < 10_000


def test_without_the_fast_compressor_the_pixels_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = result(ImageContent.DRAWN)
    monkeypatch.setattr(png, "compressobj", zlib.compressobj)
    with Image.open(io.BytesIO(quick)) as one, Image.open(io.BytesIO(result(ImageContent.DRAWN))) as other:
        assert one.tobytes() == other.tobytes()
