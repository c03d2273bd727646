"""Small graphs that load, change and save images, and files for them."""

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

from civitai_mock.drawing.drawn_images import draw_as
from civitai_mock.drawing.pixels.graph_images import GraphImages
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.media import ImageContent
from tests.support.comfy_graphs import Graph, node

TALL = (192, 320)
WIDE = (100, 60)
TURNED_BY_EXIF = 6


def gradient(size: tuple[int, int] = TALL, mode: str = "RGB") -> Image.Image:
    """Draw an image in which no two pixels of a row are alike."""
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    bands = [across, down, Image.new("L", size, 40), down][: len(mode)]
    return Image.merge(mode, bands)


def saved(image: Image.Image, fmt: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, fmt, **options)
    return file.getvalue()


def turned(size: tuple[int, int] = TALL) -> bytes:
    """Return a JPEG that lies on its side until its EXIF orientation is applied."""
    exif = Image.Exif()
    exif[0x0112] = TURNED_BY_EXIF
    return saved(gradient((size[1], size[0])), "JPEG", exif=exif)


def animated(fmt: str, count: int = 3) -> bytes:
    first, *others = (Image.new("RGB", WIDE, (60 * index, 0, 0)) for index in range(count))
    return saved(first, fmt, save_all=True, append_images=others, duration=100)


def pages() -> bytes:
    """Return a TIFF whose second page has another size."""
    sizes = (WIDE, TALL, WIDE)
    first, *others = (Image.new("RGB", size, (9, 9, 9)) for size in sizes)
    return saved(first, "TIFF", save_all=True, append_images=others)


FILES: Mapping[str, bytes] = {
    "tall.png": saved(gradient()),
    "alpha.png": saved(gradient(mode="RGBA")),
    "wide.png": saved(gradient(WIDE)),
    "grey.png": saved(gradient(WIDE).convert("L")),
    "palette.png": saved(gradient(WIDE).convert("P")),
    "turned.jpg": turned(),
    "moving.gif": animated("GIF"),
    "moving.webp": animated("WEBP"),
    "moving.png": animated("PNG"),
    "pages.tiff": pages(),
}

# Nodes that most graphs below build on.
BASE: Graph = {
    "tall": node("LoadImage", image="tall.png"),
    "alpha": node("LoadImage", image="alpha.png"),
    "wide": node("LoadImage", image="wide.png"),
    "moving": node("LoadImage", image="moving.gif"),
    "solid": node("SolidMask", value=1.0, width=50, height=70),
    "model": node("CheckpointLoaderSimple", ckpt_name="sd15.safetensors"),
    "text": node("CLIPTextEncode", text="a fox", clip=["model", 1]),
    "empty": node("EmptyLatentImage", width=128, height=64, batch_size=2),
}


def sampler(latent: str, output: int = 0, *, denoise: float = 1.0) -> Graph:
    settings = {"seed": 1, "steps": 2, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": denoise}
    links = {"model": ["model", 0], "positive": ["text", 0], "negative": ["text", 0], "latent_image": [latent, output]}
    return node("KSampler", **settings, **links)


def decoded(samples: str) -> Graph:
    return node("VAEDecode", samples=[samples, 0], vae=["model", 2])


def images_of(graph: Graph, files: Mapping[str, bytes] = FILES) -> GraphImages:
    return GraphImages(Nodes({**BASE, **graph}), read=files.get, draw=draw_as(ImageContent.BLANK))
