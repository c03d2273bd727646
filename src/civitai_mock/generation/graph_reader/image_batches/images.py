"""Nodes that give out images or masks."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.comfyui_facts import USUAL_UPSCALING
from civitai_mock.generation.graph_reader.image_batches.batch import DEFAULT_SIDE, UNKNOWN, ImageBatch
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView, Rule, kept

FACTOR_IN_NAME = re.compile(r"(?<![a-z0-9])([1-9])x(?![a-z0-9])|(?<![a-z0-9])x([1-9])(?![0-9])", re.IGNORECASE)
MEBIPIXEL = 1024 * 1024
NO_ALPHA = ImageBatch(width=64, height=64)  # the mask that LoadImage gives out for an image without transparency
# The sizes that FLUX.1 Kontext was trained on.
KONTEXT_SIZES = (
    *((672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104)),
    (1024, 1024),
    *((1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688), (1568, 672)),
)


def _loaded(view: NodeView) -> ImageBatch:
    """Give the image, or its mask."""
    loaded = view.loaded("image")
    if loaded is None:
        return UNKNOWN
    return loaded.batch if view.output == 0 or loaded.has_alpha else replace(NO_ALPHA, count=loaded.count)


def _loaded_mask(view: NodeView) -> ImageBatch:
    """Give the mask of a whole image: one without transparency is opaque."""
    loaded = view.loaded("image")
    return ImageBatch().resized(loaded.width, loaded.height) if loaded else UNKNOWN


def _plain(view: NodeView) -> ImageBatch:
    return ImageBatch().resized(*view.size)


def _empty(view: NodeView) -> ImageBatch:
    return _plain(view).counted(view.whole("batch_size", 1))


def wanted_size(view: NodeView, before: ImageBatch) -> tuple[float, float]:
    """Return the size to scale to: a side of 0 follows from the other one; both 0 is the size that is there."""
    width, height = view.size
    if not width and not height:
        return before.width, before.height
    return (
        width or max(round(before.width * height / before.height), 1),
        height or max(round(before.height * width / before.width), 1),
    )


def _scaled(view: NodeView) -> ImageBatch:
    before = view.batch("image")
    known = before.known if all(view.size) else before
    return known.resized(*wanted_size(view, before))


def _scaled_by(view: NodeView) -> ImageBatch:
    return view.batch("image").scaled(view.real("scale_by", 1.0))


def _scaled_to_total(view: NodeView) -> ImageBatch:
    before = view.batch("image")
    total = int(view.real("megapixels", 1.0) * MEBIPIXEL)
    return before.scaled(math.sqrt(max(total, 0) / (before.width * before.height)))


def _scaled_to_largest_side(view: NodeView) -> ImageBatch:
    before, largest = view.batch("image"), view.whole("largest_size", DEFAULT_SIDE)
    if before.width > before.height:
        return before.resized(largest, round(before.height / before.width * largest))
    return before.resized(round(before.width / before.height * largest), largest)


def _scaled_for_kontext(view: NodeView) -> ImageBatch:
    before = view.batch("image")
    aspect = before.width / before.height
    return before.resized(*min(KONTEXT_SIZES, key=lambda size: abs(aspect - size[0] / size[1])))


def _upscaled_by_model(view: NodeView) -> ImageBatch:
    """Guess: how much a model enlarges is in its file, and many names tell it."""
    return replace(view.batch("image").scaled(upscale_factor(view)), guessed=True)


def upscale_factor(view: NodeView) -> int:
    model = view.nodes.link(view.node_id, "upscale_model")
    name = as_text(view.nodes.value(model.node_id, "model_name")) if model else ""
    found = FACTOR_IN_NAME.search(name)
    return int(found[1] or found[2]) if found else USUAL_UPSCALING


def _cropped(view: NodeView) -> ImageBatch:
    before, (width, height) = view.batch("image"), view.size
    x, y = min(view.whole("x", 0), before.width - 1), min(view.whole("y", 0), before.height - 1)
    return before.resized(min(width, before.width - x), min(height, before.height - y))


def _cropped_mask(view: NodeView) -> ImageBatch:
    before, (width, height) = view.batch("mask"), view.size
    x, y = view.whole("x", 0), view.whole("y", 0)
    return before.resized(min(width, before.width - x), min(height, before.height - y))


def _padded(view: NodeView) -> ImageBatch:
    """Give the image with what is padded, or its mask, of which there is one for all."""
    before = view.batch("image")
    before = before if view.output == 0 else replace(before, count=1, first=0)
    left, top, right, bottom = (view.whole(name, 0) for name in ("left", "top", "right", "bottom"))
    return before.resized(before.width + left + right, before.height + top + bottom)


def _fitted(view: NodeView) -> ImageBatch:
    width, height = view.whole("target_width", DEFAULT_SIDE), view.whole("target_height", DEFAULT_SIDE)
    return view.batch("image").known.resized(width, height)


def rotated(name: str) -> Rule:
    def rule(view: NodeView) -> ImageBatch:
        before = view.batch(name)
        is_upright = view.text("rotation")[:2] not in {"90", "27"}
        return before if is_upright else before.resized(before.height, before.width)

    return rule


def _stitched(view: NodeView) -> ImageBatch:
    one = view.batch("image1")
    if not view.has("image2"):
        return one
    other, is_row = view.batch("image2"), view.text("direction") not in {"up", "down"}
    if view.nodes.value(view.node_id, "match_image_size") is not False:
        other = _matched(one, other, is_row=is_row)
    gap = max(view.whole("spacing_width", 0), 0)
    gap += gap % 2
    both = one.counted(max(one.count, other.count))
    if is_row:
        return both.resized(one.width + gap + other.width, max(one.height, other.height))
    return both.resized(max(one.width, other.width), one.height + gap + other.height)


def _matched(one: ImageBatch, other: ImageBatch, *, is_row: bool) -> ImageBatch:
    aspect = other.width / other.height
    return other.resized(one.height * aspect, one.height) if is_row else other.resized(one.width, one.width / aspect)


def _blended(view: NodeView) -> ImageBatch:
    one = view.batch("image1")
    return one.counted(max(one.count, view.batch("image2").count))


def _with_alpha(view: NodeView) -> ImageBatch:
    image = view.batch("image")
    return image.counted(min(image.count, view.batch("alpha").count))


def _composed(view: NodeView) -> ImageBatch:
    names = ("source", "source_alpha", "destination", "destination_alpha")
    return view.batch("destination").counted(min(view.batch(name).count for name in names))


SAME_SIZE = (
    *("Canny", "ImageAddNoise", "ImageBlur", "ImageFlip", "ImageInvert", "ImageQuantize", "ImageRGBToYUV"),
    *("ImageSharpen", "LTXVPreprocess", "Morphology", "SplitImageWithAlpha", "StableCascade_SuperResolutionControlnet"),
    *("GetImageSize", "ImageColorToMask", "ImageToMask"),
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(SAME_SIZE, kept("image")),
    **dict.fromkeys(("FeatherMask", "GrowMask", "InvertMask", "MaskToImage", "ThresholdMask"), kept("mask")),
    **dict.fromkeys(("ImageCompositeMasked", "MaskComposite"), kept("destination")),
    **dict.fromkeys(("LoadImage", "LoadImageOutput", "WebcamCapture"), _loaded),
    **dict.fromkeys(
        ("LoadImageSetFromFolderNode", "LoadImageTextSetFromFolderNode"), lambda view: view.loaded_batch("folder")
    ),
    **dict.fromkeys(("Load3D", "Load3DAnimation", "SolidMask"), _plain),
    "CropMask": _cropped_mask,
    "EmptyImage": _empty,
    "FluxKontextImageScale": _scaled_for_kontext,
    "ImageBlend": _blended,
    "ImageCrop": _cropped,
    "ImagePadForOutpaint": _padded,
    "ImageRotate": rotated("image"),
    "ImageScale": _scaled,
    "ImageScaleBy": _scaled_by,
    "ImageScaleToMaxDimension": _scaled_to_largest_side,
    "ImageScaleToTotalPixels": _scaled_to_total,
    "ImageStitch": _stitched,
    "ImageUpscaleWithModel": _upscaled_by_model,
    "ImageYUVToRGB": kept("Y"),
    "JoinImageWithAlpha": _with_alpha,
    "LoadImageMask": _loaded_mask,
    "PorterDuffImageComposite": _composed,
    "ResizeAndPadImage": _fitted,
}
