"""Image batches have the sizes and numbers of ComfyUI along every path that begins with a loaded image."""

from collections.abc import Mapping
from typing import Any

import pytest

from civitai_mock.comfyui_standin.validation.definitions import read_definitions
from civitai_mock.drawing.outputs.output_files import FILES_BY_CLASS
from civitai_mock.drawing.pixels.graph_images import OPERATIONS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import RULES
from civitai_mock.generation.graph_reader.output_images import DRAWN_CLASSES, LEAVING_DRAWN
from civitai_mock.generation.graph_reader.outputs import OUTPUTS
from tests.support.comfy_graphs import Graph, node
from tests.support.pixel_graphs import BASE, FILES, decoded, images_of, sampler
from tests.support.table import table

# What a node is called with, the output that is looked at, and width, height and number there.
Row = tuple[Graph, int, tuple[int, int, int]]

LOADED: Mapping[str, tuple[int, int, int]] = {
    "tall.png": (192, 320, 1),
    "alpha.png": (192, 320, 1),
    "grey.png": (100, 60, 1),
    "palette.png": (100, 60, 1),
    "turned.jpg": (192, 320, 1),
    "moving.gif": (100, 60, 3),
    "moving.webp": (100, 60, 3),
    "moving.png": (100, 60, 3),
    "pages.tiff": (100, 60, 2),
}


def scale(width: int, height: int, crop: str = "disabled") -> Graph:
    return node("ImageScale", image=["tall", 0], upscale_method="area", width=width, height=height, crop=crop)


def stitch(direction: str, **inputs: Any) -> Graph:
    return node("ImageStitch", image1=["tall", 0], image2=["wide", 0], direction=direction, **inputs)


def crop(class_type: str, name: str, source: str, **inputs: int) -> Graph:
    return node(class_type, **{name: [source, 0]}, **inputs)


def encoded(name: str, **inputs: Any) -> Graph:
    return node("VAEEncode", pixels=[name, 0], vae=["model", 2], **inputs)


def two(class_type: str, one: str = "tall", other: str = "moving") -> Graph:
    return node(class_type, image1=[one, 0], image2=[other, 0], blend_factor=0.5, blend_mode="normal")


IMAGES: Mapping[str, Row] = {
    "mask with alpha": (node("LoadImage", image="alpha.png"), 1, (192, 320, 1)),
    "mask without alpha": (node("LoadImage", image="tall.png"), 1, (64, 64, 1)),
    "mask of a channel": (node("LoadImageMask", image="tall.png", channel="red"), 0, (192, 320, 1)),
    "mask of alpha": (node("LoadImageMask", image="tall.png", channel="alpha"), 0, (192, 320, 1)),
    "empty": (node("EmptyImage", width=30, height=40, batch_size=5, color=255), 0, (30, 40, 5)),
    "scale": (scale(64, 70), 0, (64, 70, 1)),
    "scale, width 0": (scale(0, 160), 0, (96, 160, 1)),
    "scale, height 0": (scale(384, 0), 0, (384, 640, 1)),
    "scale, both 0": (scale(0, 0), 0, (192, 320, 1)),
    "scale by": (node("ImageScaleBy", image=["tall", 0], scale_by=2.0), 0, (384, 640, 1)),
    "scale by, rounded": (node("ImageScaleBy", image=["wide", 0], scale_by=0.333), 0, (33, 20, 1)),
    "scale by a linked number": (node("ImageScaleBy", image=["wide", 0], scale_by=["half", 0]), 0, (50, 30, 1)),
    "total pixels": (node("ImageScaleToTotalPixels", image=["tall", 0], megapixels=1.0), 0, (793, 1322, 1)),
    "largest side": (node("ImageScaleToMaxDimension", image=["tall", 0], largest_size=100), 0, (60, 100, 1)),
    "largest side, wide": (node("ImageScaleToMaxDimension", image=["wide", 0], largest_size=50), 0, (50, 30, 1)),
    "upscale model x4": (node("ImageUpscaleWithModel", image=["wide", 0], upscale_model=["x4", 0]), 0, (400, 240, 1)),
    "upscale model x2": (node("ImageUpscaleWithModel", image=["wide", 0], upscale_model=["x2", 0]), 0, (200, 120, 1)),
    "kontext": (node("FluxKontextImageScale", image=["tall", 0]), 0, (800, 1328, 1)),
    "crop": (crop("ImageCrop", "image", "tall", width=100, height=50, x=10, y=20), 0, (100, 50, 1)),
    "crop beyond": (crop("ImageCrop", "image", "tall", width=512, height=512, x=100, y=300), 0, (92, 20, 1)),
    "crop outside": (crop("ImageCrop", "image", "tall", width=5, height=5, x=900, y=900), 0, (1, 1, 1)),
    "pad": (node("ImagePadForOutpaint", image=["tall", 0], left=8, top=16, right=24, bottom=0), 0, (224, 336, 1)),
    "pad, mask": (node("ImagePadForOutpaint", image=["tall", 0], left=8, top=16, right=24, bottom=0), 1, (224, 336, 1)),
    "fit": (node("ResizeAndPadImage", image=["tall", 0], target_width=90, target_height=90), 0, (90, 90, 1)),
    "batch": (two("ImageBatch", "tall", "tall"), 0, (192, 320, 2)),
    "batch of unlike": (two("ImageBatch", "wide", "tall"), 0, (100, 60, 2)),
    "batch of many": (two("ImageBatch"), 0, (192, 320, 4)),
    "repeat": (node("RepeatImageBatch", image=["moving", 0], amount=4), 0, (100, 60, 12)),
    "from batch": (node("ImageFromBatch", image=["moving", 0], batch_index=1, length=9), 0, (100, 60, 2)),
    "rebatch": (node("RebatchImages", images=["moving", 0], batch_size=1), 0, (100, 60, 3)),
    "invert": (node("ImageInvert", image=["tall", 0]), 0, (192, 320, 1)),
    "blend": (two("ImageBlend"), 0, (192, 320, 3)),
    "blur": (node("ImageBlur", image=["moving", 0], blur_radius=3, sigma=1.0), 0, (100, 60, 3)),
    "canny": (node("Canny", image=["tall", 0]), 0, (192, 320, 1)),
    "yuv": (node("ImageRGBToYUV", image=["tall", 0]), 2, (192, 320, 1)),
    "from yuv": (node("ImageYUVToRGB", Y=["tall", 0], U=["wide", 0], V=["wide", 0]), 0, (192, 320, 1)),
    "turn": (node("ImageRotate", image=["tall", 0], rotation="90 degrees"), 0, (320, 192, 1)),
    "turn around": (node("ImageRotate", image=["tall", 0], rotation="180 degrees"), 0, (192, 320, 1)),
    "turn back": (node("ImageRotate", image=["tall", 0], rotation="270 degrees"), 0, (320, 192, 1)),
    "flip": (node("ImageFlip", image=["tall", 0], flip_method="x-axis: vertically"), 0, (192, 320, 1)),
    "compose": (node("ImageCompositeMasked", destination=["tall", 0], source=["wide", 0], x=0, y=0), 0, (192, 320, 1)),
    "join": (node("JoinImageWithAlpha", image=["tall", 0], alpha=["solid", 0]), 0, (192, 320, 1)),
    "split": (node("SplitImageWithAlpha", image=["tall", 0]), 1, (192, 320, 1)),
    "stitch right": (stitch("right"), 0, (192 + 533, 320, 1)),
    "stitch left, apart": (stitch("left", spacing_width=5), 0, (192 + 6 + 533, 320, 1)),
    "stitch down": (stitch("down"), 0, (192, 320 + 115, 1)),
    "stitch up, unmatched": (stitch("up", match_image_size=False), 0, (192, 380, 1)),
    "stitch right, unmatched": (stitch("right", match_image_size=False), 0, (292, 320, 1)),
    "stitch one": (node("ImageStitch", image1=["tall", 0], direction="right"), 0, (192, 320, 1)),
    "by the size of another": (
        node("EmptyImage", width=["size", 0], height=["size", 1], batch_size=["size", 2], color=0),
        0,
        (100, 60, 3),
    ),
    "unknown node": (node("Some Pack.Glow", image=["moving", 0], strength=1), 0, (100, 60, 3)),
    "unknown node, odd names": (node("Some Pack.Glow", image=["tall", 0]), 0, (192, 320, 1)),
}
MASKS: Mapping[str, Row] = {
    "to mask": (node("ImageToMask", image=["tall", 0], channel="red"), 0, (192, 320, 1)),
    "of a colour": (node("ImageColorToMask", image=["tall", 0], color=0), 0, (192, 320, 1)),
    "to image": (node("MaskToImage", mask=["alpha", 1]), 0, (192, 320, 1)),
    "invert": (node("InvertMask", mask=["solid", 0]), 0, (50, 70, 1)),
    "grow": (node("GrowMask", mask=["solid", 0], expand=5, tapered_corners=True), 0, (50, 70, 1)),
    "feather": (node("FeatherMask", mask=["solid", 0], left=5, top=5, right=5, bottom=5), 0, (50, 70, 1)),
    "crop": (crop("CropMask", "mask", "solid", x=10, y=20, width=30, height=100), 0, (30, 50, 1)),
    "compose": (node("MaskComposite", destination=["alpha", 1], source=["solid", 0], x=0, y=0), 0, (192, 320, 1)),
    "of frames without transparency": (node("LoadImage", image="moving.png"), 1, (64, 64, 3)),
    "padded": (node("ImagePadForOutpaint", image=["moving", 0], left=8, top=0, right=0, bottom=4), 1, (108, 64, 1)),
    "threshold": (node("ThresholdMask", mask=["alpha", 1], value=0.5), 0, (192, 320, 1)),
}
LATENTS: Mapping[str, Row] = {
    "encode": (encoded("tall"), 0, (192, 320, 1)),
    "encode, cut": (encoded("wide"), 0, (96, 56, 1)),
    "encode several": (encoded("moving"), 0, (96, 56, 3)),
    "encode for inpainting": (node("VAEEncodeForInpaint", pixels=["wide", 0], mask=["alpha", 1]), 0, (96, 56, 1)),
    "inpaint model": (node("InpaintModelConditioning", pixels=["wide", 0], mask=["alpha", 1]), 2, (96, 56, 1)),
    "image to image": (decoded("sampled"), 0, (192, 320, 1)),
    "noise mask": (node("SetLatentNoiseMask", samples=["latent", 0], mask=["alpha", 1]), 0, (192, 320, 1)),
    "upscale": (node("LatentUpscale", samples=["latent", 0], width=256, height=260), 0, (256, 256, 1)),
    "upscale, width 0": (node("LatentUpscale", samples=["latent", 0], width=0, height=640), 0, (384, 640, 1)),
    "upscale, both 0": (node("LatentUpscale", samples=["latent", 0], width=0, height=0), 0, (192, 320, 1)),
    "upscale by": (node("LatentUpscaleBy", samples=["latent", 0], scale_by=1.5), 0, (288, 480, 1)),
    "crop": (crop("LatentCrop", "samples", "latent", width=64, height=512, x=16, y=160), 0, (64, 160, 1)),
    "turn": (node("LatentRotate", samples=["latent", 0], rotation="90 degrees"), 0, (320, 192, 1)),
    "compose": (node("LatentComposite", samples_to=["latent", 0], samples_from=["empty", 0]), 0, (192, 320, 1)),
    "compose masked": (node("LatentCompositeMasked", destination=["latent", 0], source=["empty", 0]), 0, (192, 320, 1)),
    "batch": (node("LatentBatch", samples1=["latent", 0], samples2=["empty", 0]), 0, (192, 320, 3)),
    "repeat": (node("RepeatLatentBatch", samples=["empty", 0], amount=3), 0, (128, 64, 6)),
    "from batch": (node("LatentFromBatch", samples=["empty", 0], batch_index=1, length=4), 0, (128, 64, 1)),
    "concatenated": (node("LatentConcat", samples1=["empty", 0], samples2=["empty", 0], dim="x"), 0, (256, 64, 2)),
    "cut": (node("LatentCut", samples=["empty", 0], dim="y", index=2, amount=3), 0, (128, 24, 2)),
    "added": (node("LatentAdd", samples1=["latent", 0], samples2=["empty", 0]), 0, (192, 320, 1)),
    "hunyuan image": (node("EmptyHunyuanImageLatent", width=2048, height=1000, batch_size=1), 0, (2048, 992, 1)),
    "wan": (node("WanImageToVideo", width=832, height=480, length=81, batch_size=1), 2, (832, 480, 81)),
    "hunyuan video": (
        node("EmptyHunyuanLatentVideo", width=848, height=480, length=27, batch_size=2),
        0,
        (848, 480, 50),
    ),
    "ltxv": (node("EmptyLTXVLatentVideo", width=770, height=512, length=97, batch_size=1), 0, (768, 512, 97)),
    "mochi": (node("EmptyMochiLatentVideo", width=848, height=480, length=25, batch_size=1), 0, (848, 480, 25)),
    "svd": (node("SVD_img2vid_Conditioning", width=1024, height=576, video_frames=14), 2, (1024, 576, 14)),
    "x4 upscaler": (node("SD_4XUpscale_Conditioning", images=["wide", 0], scale_ratio=4.0), 2, (400, 240, 1)),
}
HELPERS: Graph = {
    "half": node("PrimitiveFloat", value=0.5),
    "size": node("GetImageSize", image=["moving", 0]),
    "x4": node("UpscaleModelLoader", model_name="RealESRGAN_x4plus.pth"),
    "x2": node("UpscaleModelLoader", model_name="2x-Nomos.safetensors"),
    "latent": encoded("tall"),
    "sampled": sampler("latent", denoise=0.6),
}
ROWS = {**IMAGES, **{f"mask: {name}": row for name, row in MASKS.items()}}
ROWS |= {f"latent: {name}": row for name, row in LATENTS.items()}


@table("name", LOADED)
def test_a_loaded_image_has_the_size_and_number_of_its_file(name: str) -> None:
    frame = images_of({"x": node("LoadImage", image=name)}).batch(Link("x", 0))
    assert (frame.width, frame.height, frame.count) == LOADED[name]


@table("name", ROWS)
def test_sizes_and_numbers_follow_from_what_was_loaded(name: str) -> None:
    graph, output, expected = ROWS[name]
    frame = images_of({**HELPERS, "x": graph}).batch(Link("x", output))
    assert (frame.width, frame.height, frame.count) == expected


@pytest.mark.parametrize("name", ROWS)
def test_an_image_has_the_size_that_was_worked_out(name: str) -> None:
    """Whether it is drawn, or made of the loaded pixels; all images of the batch."""
    graph, output, (width, height, count) = ROWS[name]
    images = images_of({**HELPERS, "x": graph})
    for index in {0, count - 1}:
        assert images.image(Link("x", output), index).size == (width, height)


def test_every_core_node_that_gives_out_images_has_a_rule() -> None:
    """But nodes that other companies' servers do the work of, and latents of sound and meshes."""
    kinds = {"IMAGE", "MASK", "LATENT", "VIDEO"}
    makers = {name for name, node in read_definitions().items() if kinds.intersection(node.outputs)}
    others = {name for name in makers if "Audio" in name or "Hunyuan3D" in name or "3Dv2" in name}
    assert makers - others <= RULES.keys()


def test_every_rule_is_for_pixels_that_are_made_or_drawn() -> None:
    assert RULES.keys() - OPERATIONS.keys() - OUTPUTS.keys() - {"GetImageSize"} <= DRAWN_CLASSES | LEAVING_DRAWN
    assert not OPERATIONS.keys() & DRAWN_CLASSES


def test_every_core_output_node_is_known() -> None:
    outputs = {name for name, node in read_definitions().items() if node.is_output}
    assert outputs == OUTPUTS.keys()
    assert {name for name, output in OUTPUTS.items() if output.suffix} == FILES_BY_CLASS.keys()


def test_a_chain_of_thousands_of_nodes_is_read() -> None:
    graph = {"0": node("LoadImage", image="wide.png")}
    graph |= {str(n): node("ImageInvert", image=[str(n - 1), 0]) for n in range(1, 3001)}
    images = images_of(graph)
    assert images.batch(Link("3000", 0)).width == 100
    assert images.image(Link("3000", 0), 0).tobytes() == images.image(Link("0", 0), 0).tobytes()


def test_what_is_used_twice_is_made_once() -> None:
    """A chain of nodes that each use the last one twice would else take for ever."""
    graph = {"0": node("LoadImage", image="wide.png")}
    graph |= {str(n): two("ImageBlend", str(n - 1), str(n - 1)) for n in range(1, 60)}
    assert images_of(graph).image(Link("59", 0), 0).size == (100, 60)


@pytest.mark.parametrize("links", [{"a": "b", "b": "a"}, {"a": "a"}, {"a": "nowhere"}], ids=str)
def test_circles_and_loose_ends_have_a_guess(links: Mapping[str, str]) -> None:
    graph = {name: node("ImageInvert", image=[source, 0]) for name, source in links.items()}
    assert images_of(graph).batch(Link("a", 0)).guessed


def test_the_base_of_these_graphs_loads_its_files() -> None:
    loaded = {str(entry["inputs"]["image"]) for entry in BASE.values() if "image" in entry["inputs"]}
    assert loaded <= FILES.keys()
