"""Pixels of loaded images, through nodes that only do arithmetic."""

import io
from collections.abc import Mapping

import pytest
from PIL import Image, ImageOps

from civitai_mock.generation.graph import Link
from tests.support.comfy_graphs import Graph, node
from tests.support.pixel_graphs import FILES, WIDE, decoded, gradient, images_of, sampler
from tests.support.table import table

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
        pasted((108, 70), WIDE_IMAGE, (3, 4), (127, 127, 127)),
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
    "stitch unmatched": (
        node(
            "ImageStitch",
            image1=["wide", 0],
            image2=["patch", 0],
            direction="right",
            match_image_size=False,
            spacing_color="red",
            spacing_width=3,
        ),
        0,
        laid(
            laid(pasted((114, 60), WIDE_IMAGE, (0, 0), (0, 0, 0)), Image.new("RGB", (4, 60), "red"), (100, 0)),
            Image.new("RGB", (10, 20), "blue"),
            (104, 20),
        ),
    ),
    "pad what has alpha": (
        node("ImagePadForOutpaint", image=["joined", 0], left=2, top=0, right=0, bottom=0, feathering=0),
        0,
        laid(Image.new("RGBA", (194, 320), (127, 127, 127, 127)), ALPHA_IMAGE, (2, 0)),
    ),
    "alpha": (node("JoinImageWithAlpha", image=["alpha", 0], alpha=["alpha", 1]), 0, ALPHA_IMAGE),
    "split": (node("SplitImageWithAlpha", image=["joined", 0]), 0, ALPHA_IMAGE.convert("RGB")),
    "split mask": (node("SplitImageWithAlpha", image=["joined", 0]), 1, ImageOps.invert(ALPHA_IMAGE.getchannel("A"))),
    "mask shown": (node("MaskToImage", mask=["solid", 0]), 0, Image.new("RGB", (50, 70), "white")),
    "image to mask": (node("ImageToMask", image=["tall", 0], channel="blue"), 0, TALL_IMAGE.getchannel("B")),
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
    "patch": node("EmptyImage", width=10, height=20, batch_size=1, color=0x0000FF),
    "joined": node("JoinImageWithAlpha", image=["alpha", 0], alpha=["alpha", 1]),
    "latent": node("VAEEncode", pixels=["wide", 0], vae=["model", 2]),
}


@table("name", EXACT)
def test_the_pixels_are_those_of_the_file(name: str) -> None:
    graph, output, expected = EXACT[name]
    image = images_of({**HELPERS, "x": graph}).image(Link("x", output), 0)
    assert (image.mode, image.size) == (expected.mode, expected.size)
    assert image.tobytes() == expected.tobytes()


PLACES: Mapping[str, tuple[Graph, list[int]]] = {
    "loaded": (node("LoadImage", image="moving.png"), [0, 60, 120]),
    "taken": (node("ImageFromBatch", image=["frames", 0], batch_index=1, length=2), [60, 120]),
    "repeated": (node("RepeatImageBatch", image=["frames", 0], amount=2), [0, 60, 120, 0, 60, 120]),
    "joined": (node("ImageBatch", image1=["frames", 0], image2=["last", 0]), [0, 60, 120, 120]),
}


@pytest.mark.parametrize("name", PLACES)
def test_each_image_of_a_batch_keeps_its_place(name: str) -> None:
    graph, tones = PLACES[name]
    helpers = {
        "frames": node("LoadImage", image="moving.png"),
        "last": node("ImageFromBatch", image=["frames", 0], batch_index=2, length=1),
    }
    images = images_of({**helpers, "x": graph})
    reds = [images.image(Link("x", 0), index).getpixel((5, 5)) for index in range(len(tones))]
    assert reds == [(tone, 0, 0) for tone in tones]
    assert images.batch(Link("x", 0)).count == len(tones)


def test_grown_masks_reach_further_and_shrunk_ones_less_far() -> None:
    helpers = {
        "black": node("SolidMask", value=0.0, width=41, height=41),
        "dot": node("SolidMask", value=1.0, width=1, height=1),
        "mask": node("MaskComposite", destination=["black", 0], source=["dot", 0], x=20, y=20, operation="add"),
        "grown": node("GrowMask", mask=["mask", 0], expand=5, tapered_corners=False),
        "back": node("GrowMask", mask=["grown", 0], expand=-5, tapered_corners=False),
    }
    images = images_of(helpers)
    boxes = [images.image(Link(name, 0), 0).getbbox() for name in ("mask", "grown", "back")]
    assert boxes == [(20, 20, 21, 21), (15, 15, 26, 26), (20, 20, 21, 21)]


@table("reach", range(8))
def test_masks_grow_in_diamonds_where_corners_are_tapered(reach: int) -> None:
    """Reach as far as so many steps up, down and sideways lead."""
    helpers = {
        "black": node("SolidMask", value=0.0, width=11, height=9),
        "dot": node("SolidMask", value=1.0, width=1, height=1),
        "mask": node("MaskComposite", destination=["black", 0], source=["dot", 0], x=1, y=4, operation="add"),
        "x": node("GrowMask", mask=["mask", 0], expand=reach, tapered_corners=True),
    }
    image = images_of(helpers).image(Link("x", 0), 0)
    reached = {(x, y) for x in range(11) for y in range(9) if image.getpixel((x, y)) == 255}
    assert reached == {(x, y) for x in range(11) for y in range(9) if abs(x - 1) + abs(y - 4) <= reach}


# A node whose first output is a mask, and its tones along the top, which were worked out by hand.
TONES: Mapping[str, tuple[Graph, list[int]]] = {
    "solid": (node("SolidMask", value=0.5, width=3, height=1), [127] * 3),
    "threshold": (node("ThresholdMask", mask=["half", 0], value=0.5), [0] * 6),
    "threshold below": (node("ThresholdMask", mask=["half", 0], value=0.49), [255] * 6),
    "or of halves": (
        node("MaskComposite", destination=["half", 0], source=["half", 0], x=0, y=0, operation="or"),
        [0] * 6,
    ),
    "feather left": (
        node("FeatherMask", mask=["one", 0], left=3, top=0, right=0, bottom=0),
        [85, 170, 255, 255, 255, 255],
    ),
    "feather right": (
        node("FeatherMask", mask=["one", 0], left=0, top=0, right=3, bottom=0),
        [85, 255, 255, 255, 255, 170],
    ),
    "feather both": (
        node("FeatherMask", mask=["one", 0], left=2, top=0, right=2, bottom=0),
        [63, 255, 255, 255, 255, 255],
    ),
}


@pytest.mark.parametrize("name", TONES)
def test_masks_have_the_tones_that_comfyui_works_out(name: str) -> None:
    graph, tones = TONES[name]
    helpers = {
        "half": node("SolidMask", value=0.5, width=6, height=1),
        "one": node("SolidMask", value=1.0, width=6, height=1),
    }
    image = images_of({**helpers, "x": graph}).image(Link("x", 0), 0)
    assert [image.getpixel((x, 0)) for x in range(image.width)] == tones


def test_the_soft_edge_of_an_outpainting_begins_beside_what_is_new() -> None:
    padded = node("ImagePadForOutpaint", image=["wide", 0], left=0, top=0, right=2, bottom=0, feathering=4)
    image = images_of({"x": padded}).image(Link("x", 1), 0)
    tones = [image.getpixel((x, 5)) for x in range(WIDE[0] - 5, WIDE[0] + 2)]
    assert tones == [0, 0, 15, 63, 143, 255, 255]  # ((4 - distance) / 4)²


def _striped(node_of_image: Graph) -> list[int]:
    """The reds of the middle row of an edge from black to 100, after a node."""
    helpers = {
        "black": node("EmptyImage", width=6, height=8, batch_size=1, color=0),
        "light": node("EmptyImage", width=6, height=8, batch_size=1, color=0x646464),
        "stripes": node(
            "ImageStitch",
            image1=["black", 0],
            image2=["light", 0],
            direction="right",
            match_image_size=False,
            spacing_width=0,
            spacing_color="black",
        ),
    }
    image = images_of({**helpers, "x": node_of_image}).image(Link("x", 0), 0).convert("L")
    return [int(str(image.getpixel((x, 4)))) for x in range(3, 9)]


@pytest.mark.parametrize(
    ("graph", "tones"),
    [
        (node("ImageBlur", image=["stripes", 0], blur_radius=1, sigma=1.0), [0, 0, 27, 72, 100, 100]),
        (node("ImageBlur", image=["stripes", 0], blur_radius=1, sigma=10.0), [0, 0, 33, 66, 100, 100]),
        (node("ImageSharpen", image=["stripes", 0], sharpen_radius=1, sigma=1.0, alpha=0.1), [0, 0, 0, 127, 100, 100]),
    ],
    ids=["blur", "blur by a flat kernel", "sharpen"],
)
def test_the_kernel_of_a_blur_is_as_wide_as_its_radius_says(graph: Graph, tones: list[int]) -> None:
    assert _striped(graph) == pytest.approx(tones, abs=1)


def test_a_difference_is_mixed_before_it_is_cut_off_at_black() -> None:
    helpers = {
        "one": node("EmptyImage", width=8, height=8, batch_size=1, color=0x646464),
        "two": node("EmptyImage", width=8, height=8, batch_size=1, color=0xC8C8C8),
        "x": node("ImageBlend", image1=["one", 0], image2=["two", 0], blend_factor=0.25, blend_mode="difference"),
    }
    assert images_of(helpers).image(Link("x", 0), 0).getpixel((4, 4)) == (50, 50, 50)


def test_a_plain_image_has_no_edges() -> None:
    helpers = {
        "plain": node("EmptyImage", width=8, height=8, batch_size=1, color=0xFF8000),
        "x": node("Canny", image=["plain", 0], low_threshold=0.1, high_threshold=0.8),
    }
    assert images_of(helpers).image(Link("x", 0), 0).getbbox() is None


@pytest.mark.parametrize(
    ("operation", "tone"), [("multiply", 0), ("add", 255), ("subtract", 255), ("and", 0), ("or", 255), ("xor", 255)]
)
def test_masks_are_put_together(operation: str, tone: int) -> None:
    helpers = {
        "one": node("SolidMask", value=1.0, width=8, height=8),
        "none": node("SolidMask", value=0.0, width=8, height=8),
        "x": node("MaskComposite", destination=["one", 0], source=["none", 0], x=0, y=0, operation=operation),
    }
    assert images_of(helpers).image(Link("x", 0), 0).getpixel((4, 4)) == tone


def test_a_drawn_image_is_drawn_in_its_last_size_and_worked_on_after_that() -> None:
    graph = {
        "sampled": sampler("empty"),
        "decoded": decoded("sampled"),
        "scaled": node("ImageScale", image=["decoded", 0], upscale_method="area", width=300, height=200, crop="center"),
        "x": node("ImageBatch", image1=["scaled", 0], image2=["tall", 0]),
    }
    images = images_of(graph)
    with Image.open(io.BytesIO(images.png(Link("scaled", 0), 1, {}))) as image:
        assert (image.size, image.getcolors()) == ((300, 200), [(60_000, (128, 128, 128))])
    assert images.batch(Link("x", 0)).count == 3
    assert images.image(Link("x", 0), 1).getcolors() == [(60_000, (128, 128, 128))]
    assert images.image(Link("x", 0), 2).getcolors() != [(60_000, (128, 128, 128))]


def test_texts_are_written_into_a_loaded_image() -> None:
    content = images_of({}).png(Link("tall", 0), 0, {"prompt": "{}", "ü": "日本"})
    with Image.open(io.BytesIO(content)) as image:
        assert image.info["prompt"] == "{}"
        assert image.tobytes() == TALL_IMAGE.tobytes()


def test_an_image_that_is_not_there_is_drawn() -> None:
    images = images_of({"x": node("LoadImage", image="nowhere.png")})
    assert images.image(Link("x", 0), 0).size == (512, 512)


@pytest.mark.parametrize("content", [b"", b"text", FILES["tall.png"][:100], b'\x10\0\0\0\0\0\0\0{"a": 1}'], ids=repr)
def test_bytes_that_are_not_an_image_are_not_loaded(content: bytes) -> None:
    images = images_of({"x": node("LoadImage", image="bad")}, {"bad": content})
    assert images.batch(Link("x", 0)).guessed
