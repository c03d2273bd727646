"""Pixels of loaded pictures, through nodes that only do arithmetic."""

import io
from collections.abc import Mapping

import pytest
from PIL import Image, ImageOps

from civitai_mock.generation.graph import Link
from tests.support.comfy_graphs import Graph, node
from tests.support.pixel_graphs import FILES, WIDE, decoded, gradient, pictures_of, sampler

TALL_IMAGE, WIDE_IMAGE, ALPHA_IMAGE = gradient(), gradient(WIDE), gradient(mode="RGBA")


Pair = tuple[int, int]


def laid(below: Image.Image, image: Image.Image, place: Pair) -> Image.Image:
    sheet = below.copy()
    sheet.paste(image, place)
    return sheet


def pasted(size: Pair, image: Image.Image, place: Pair, colour: tuple[int, int, int]) -> Image.Image:
    return laid(Image.new("RGB", size, colour), image, place)


# A node, its output, and the very pixels there.
EXACT: Mapping[str, tuple[Graph, int, Image.Image]] = {
    "load": (node("LoadImage", image="tall.png"), 0, TALL_IMAGE),
    "load what has alpha": (node("LoadImage", image="alpha.png"), 0, ALPHA_IMAGE.convert("RGB")),
    "mask": (node("LoadImage", image="alpha.png"), 1, ImageOps.invert(ALPHA_IMAGE.getchannel("A"))),
    "no mask": (node("LoadImage", image="tall.png"), 1, Image.new("L", (64, 64))),
    "channel": (node("LoadImageMask", image="tall.png", channel="green"), 0, TALL_IMAGE.getchannel("G")),
    "grey": (node("LoadImage", image="grey.png"), 0, WIDE_IMAGE.convert("L").convert("RGB")),
    "crop": (node("ImageCrop", image=["tall", 0], width=50, height=60, x=7, y=9), 0, TALL_IMAGE.crop((7, 9, 57, 69))),
    "turn": (node("ImageRotate", image=["tall", 0], rotation="90 degrees"), 0, TALL_IMAGE.rotate(-90, expand=True)),
    "flip": (node("ImageFlip", image=["tall", 0], flip_method="x-axis: vertically"), 0, ImageOps.flip(TALL_IMAGE)),
    "mirror": (
        node("ImageFlip", image=["tall", 0], flip_method="y-axis: horizontally"),
        0,
        ImageOps.mirror(TALL_IMAGE),
    ),
    "invert": (node("ImageInvert", image=["tall", 0]), 0, ImageOps.invert(TALL_IMAGE)),
    "enlarge": (
        node("ImageScaleBy", image=["wide", 0], upscale_method="nearest-exact", scale_by=2.0),
        0,
        WIDE_IMAGE.resize((200, 120), Image.Resampling.NEAREST),
    ),
    "pad": (
        node("ImagePadForOutpaint", image=["wide", 0], left=3, top=4, right=5, bottom=6, feathering=0),
        0,
        pasted((108, 70), WIDE_IMAGE, (3, 4), (128, 128, 128)),
    ),
    "fit": (
        node("ResizeAndPadImage", image=["wide", 0], target_width=100, target_height=80, padding_color="white"),
        0,
        pasted((100, 80), WIDE_IMAGE, (0, 10), (255, 255, 255)),
    ),
    "stitch": (
        node(
            "ImageStitch",
            image1=["wide", 0],
            image2=["wide", 0],
            direction="down",
            spacing_color="red",
            spacing_width=4,
        ),
        0,
        laid(pasted((100, 124), WIDE_IMAGE, (0, 64), (255, 0, 0)), WIDE_IMAGE, (0, 0)),
    ),
    "alpha": (node("JoinImageWithAlpha", image=["alpha", 0], alpha=["alpha", 1]), 0, ALPHA_IMAGE),
    "split": (node("SplitImageWithAlpha", image=["joined", 0]), 0, ALPHA_IMAGE.convert("RGB")),
    "split mask": (node("SplitImageWithAlpha", image=["joined", 0]), 1, ImageOps.invert(ALPHA_IMAGE.getchannel("A"))),
    "mask shown": (node("MaskToImage", mask=["solid", 0]), 0, Image.new("RGB", (50, 70), "white")),
    "picture to mask": (node("ImageToMask", image=["tall", 0], channel="blue"), 0, TALL_IMAGE.getchannel("B")),
    "encoded and decoded": (decoded("latent"), 0, WIDE_IMAGE.crop((2, 2, 98, 58))),
    "empty": (
        node("EmptyImage", width=3, height=2, batch_size=1, color=0x102030),
        0,
        Image.new("RGB", (3, 2), (16, 32, 48)),
    ),
    "composed": (
        node("ImageCompositeMasked", destination=["tall", 0], source=["wide", 0], x=20, y=30),
        0,
        laid(TALL_IMAGE, WIDE_IMAGE, (20, 30)),
    ),
    "unknown node": (node("Some Pack.Glow", image=["tall", 0]), 0, TALL_IMAGE),
}
HELPERS: Graph = {
    "joined": node("JoinImageWithAlpha", image=["alpha", 0], alpha=["alpha", 1]),
    "latent": node("VAEEncode", pixels=["wide", 0], vae=["model", 2]),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_pixels_are_those_of_the_file(name: str) -> None:
    graph, output, expected = EXACT[name]
    picture = pictures_of({**HELPERS, "x": graph}).picture(Link("x", output), 0)
    assert (picture.mode, picture.size) == (expected.mode, expected.size)
    assert picture.tobytes() == expected.tobytes()


PLACES: Mapping[str, tuple[Graph, list[int]]] = {
    "loaded": (node("LoadImage", image="moving.png"), [0, 60, 120]),
    "taken": (node("ImageFromBatch", image=["frames", 0], batch_index=1, length=2), [60, 120]),
    "repeated": (node("RepeatImageBatch", image=["frames", 0], amount=2), [0, 60, 120, 0, 60, 120]),
    "joined": (node("ImageBatch", image1=["frames", 0], image2=["last", 0]), [0, 60, 120, 120]),
}


@pytest.mark.parametrize("name", PLACES)
def test_each_picture_of_a_batch_keeps_its_place(name: str) -> None:
    graph, tones = PLACES[name]
    helpers = {
        "frames": node("LoadImage", image="moving.png"),
        "last": node("ImageFromBatch", image=["frames", 0], batch_index=2, length=1),
    }
    pictures = pictures_of({**helpers, "x": graph})
    reds = [pictures.picture(Link("x", 0), index).getpixel((5, 5)) for index in range(len(tones))]
    assert reds == [(tone, 0, 0) for tone in tones]
    assert pictures.frame(Link("x", 0)).count == len(tones)


def test_grown_masks_reach_further_and_shrunk_ones_less_far() -> None:
    helpers = {
        "black": node("SolidMask", value=0.0, width=41, height=41),
        "dot": node("SolidMask", value=1.0, width=1, height=1),
        "mask": node("MaskComposite", destination=["black", 0], source=["dot", 0], x=20, y=20, operation="add"),
        "grown": node("GrowMask", mask=["mask", 0], expand=5, tapered_corners=False),
        "back": node("GrowMask", mask=["grown", 0], expand=-5, tapered_corners=False),
    }
    pictures = pictures_of(helpers)
    boxes = [pictures.picture(Link(name, 0), 0).getbbox() for name in ("mask", "grown", "back")]
    assert boxes == [(20, 20, 21, 21), (15, 15, 26, 26), (20, 20, 21, 21)]


@pytest.mark.parametrize(
    ("operation", "tone"), [("multiply", 0), ("add", 255), ("subtract", 255), ("and", 0), ("or", 255), ("xor", 255)]
)
def test_masks_are_put_together(operation: str, tone: int) -> None:
    helpers = {
        "one": node("SolidMask", value=1.0, width=8, height=8),
        "none": node("SolidMask", value=0.0, width=8, height=8),
        "x": node("MaskComposite", destination=["one", 0], source=["none", 0], x=0, y=0, operation=operation),
    }
    assert pictures_of(helpers).picture(Link("x", 0), 0).getpixel((4, 4)) == tone


def test_a_drawn_picture_is_drawn_in_its_last_size_and_worked_on_after_that() -> None:
    graph = {
        "sampled": sampler("empty"),
        "decoded": decoded("sampled"),
        "scaled": node("ImageScale", image=["decoded", 0], upscale_method="area", width=300, height=200, crop="center"),
        "x": node("ImageBatch", image1=["scaled", 0], image2=["tall", 0]),
    }
    pictures = pictures_of(graph)
    with Image.open(io.BytesIO(pictures.png(Link("scaled", 0), 1, {}))) as image:
        assert (image.size, image.getcolors()) == ((300, 200), [(60_000, (128, 128, 128))])
    assert pictures.frame(Link("x", 0)).count == 3
    assert pictures.picture(Link("x", 0), 1).getcolors() == [(60_000, (128, 128, 128))]
    assert pictures.picture(Link("x", 0), 2).getcolors() != [(60_000, (128, 128, 128))]


def test_texts_are_written_into_what_was_loaded() -> None:
    content = pictures_of({}).png(Link("tall", 0), 0, {"prompt": "{}", "ü": "日本"})
    with Image.open(io.BytesIO(content)) as image:
        assert image.info["prompt"] == "{}"
        assert image.tobytes() == TALL_IMAGE.tobytes()


def test_a_picture_that_is_not_there_is_drawn() -> None:
    pictures = pictures_of({"x": node("LoadImage", image="nowhere.png")})
    assert pictures.picture(Link("x", 0), 0).size == (512, 512)


@pytest.mark.parametrize("content", [b"", b"text", FILES["tall.png"][:100], b'\x10\0\0\0\0\0\0\0{"a": 1}'], ids=repr)
def test_what_is_not_a_picture_is_not_known(content: bytes) -> None:
    pictures = pictures_of({"x": node("LoadImage", image="bad")}, {"bad": content})
    assert pictures.frame(Link("x", 0)).guessed
