"""Nodes that give out images."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from civitai_mock.generation.comfyui_facts import USUAL_UPSCALING
from civitai_mock.generation.graph_reader.facts import DEFAULT_SIDE, ImageBatch
from civitai_mock.generation.graph_reader.sizes.node_view import UNKNOWN, NodeView, counted, kept, sized

FACTOR_IN_NAME = re.compile(r"(?<![a-z0-9])([1-9])x(?![a-z0-9])|(?<![a-z0-9])x([1-9])(?![0-9])", re.IGNORECASE)
MEBIPIXEL = 1024 * 1024
NO_ALPHA = ImageBatch(width=64, height=64)  # the mask that LoadImage gives out for an image without transparency
# The sizes that FLUX.1 Kontext was trained on.
KONTEXT_SIZES = (
    *((672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104)),
    (1024, 1024),
    *((1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688), (1568, 672)),
)


def _loaded(sight: NodeView) -> ImageBatch:
    """The image, and its mask."""
    loaded = sight.loaded("image")
    if loaded is None:
        return UNKNOWN
    return loaded.frame if sight.output == 0 or loaded.has_alpha else replace(NO_ALPHA, count=loaded.count)


def _folder(sight: NodeView) -> ImageBatch:
    loaded = sight.loaded("folder")
    return loaded.frame if loaded else UNKNOWN


def _empty(sight: NodeView) -> ImageBatch:
    return counted(_to_size(sight), sight.whole("batch_size", 1))


def _to_size(sight: NodeView) -> ImageBatch:
    return sized(ImageBatch(), sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE))


def scaled_to(sight: NodeView, before: ImageBatch) -> tuple[float, float]:
    """A side of 0 follows from the other one; both 0 is the size that is there."""
    width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
    if not width and not height:
        return before.width, before.height
    return (
        width or max(round(before.width * height / before.height), 1),
        height or max(round(before.height * width / before.width), 1),
    )


def _scaled(sight: NodeView) -> ImageBatch:
    before = sight.frame("image")
    width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
    return sized(before if not (width and height) else before.known, *scaled_to(sight, before))


def _scaled_by(sight: NodeView) -> ImageBatch:
    return _times(sight.frame("image"), sight.real("scale_by", 1.0))


def _times(before: ImageBatch, factor: float) -> ImageBatch:
    return sized(before, round(before.width * factor), round(before.height * factor))


def _to_total(sight: NodeView) -> ImageBatch:
    before = sight.frame("image")
    total = int(sight.real("megapixels", 1.0) * MEBIPIXEL)
    return _times(before, math.sqrt(max(total, 0) / (before.width * before.height)))


def _to_largest_side(sight: NodeView) -> ImageBatch:
    before, largest = sight.frame("image"), sight.whole("largest_size", DEFAULT_SIDE)
    if before.width > before.height:
        return sized(before, largest, round(before.height / before.width * largest))
    return sized(before, round(before.width / before.height * largest), largest)


def _by_model(sight: NodeView) -> ImageBatch:
    """How much a model enlarges is in its file; many names tell it."""
    return replace(_times(sight.frame("image"), upscale_factor(sight)), guessed=True)


def upscale_factor(sight: NodeView) -> int:
    model = sight.nodes.link(sight.node_id, "upscale_model")
    name = sight.nodes.value(model.node_id, "model_name") if model else ""
    found = FACTOR_IN_NAME.search(name) if isinstance(name, str) else None
    return int(found[1] or found[2]) if found else USUAL_UPSCALING


def _cropped(sight: NodeView) -> ImageBatch:
    before = sight.frame("image")
    x, y = min(sight.whole("x", 0), before.width - 1), min(sight.whole("y", 0), before.height - 1)
    width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
    return sized(before, min(width, before.width - x), min(height, before.height - y))


def padded(sight: NodeView) -> ImageBatch:
    """Return the frame of the image with what is padded, or of its mask, of which there is one for all."""
    before = sight.frame("image")
    before = before if sight.output == 0 else replace(before, count=1, first=0)
    left, top, right, bottom = (sight.whole(name, 0) for name in ("left", "top", "right", "bottom"))
    return sized(before, before.width + left + right, before.height + top + bottom)


def _fitted(sight: NodeView) -> ImageBatch:
    width, height = sight.whole("target_width", DEFAULT_SIDE), sight.whole("target_height", DEFAULT_SIDE)
    return sized(sight.frame("image").known, width, height)


def _turned(sight: NodeView) -> ImageBatch:
    return turned(sight, "image")


def turned(sight: NodeView, name: str) -> ImageBatch:
    before = sight.frame(name)
    is_upright = sight.text("rotation")[:2] not in {"90", "27"}
    return before if is_upright else sized(before, before.height, before.width)


def _stitched(sight: NodeView) -> ImageBatch:
    one = sight.frame("image1")
    if not sight.has("image2"):
        return one
    other, is_row = sight.frame("image2"), sight.text("direction") not in {"up", "down"}
    if sight.nodes.value(sight.node_id, "match_image_size") is not False:
        other = _matched(one, other, is_row=is_row)
    gap = max(sight.whole("spacing_width", 0), 0)
    gap += gap % 2
    frame = counted(one, max(one.count, other.count))
    if is_row:
        return sized(frame, one.width + gap + other.width, max(one.height, other.height))
    return sized(frame, max(one.width, other.width), one.height + gap + other.height)


def _matched(one: ImageBatch, other: ImageBatch, *, is_row: bool) -> ImageBatch:
    aspect = other.width / other.height
    return sized(other, one.height * aspect, one.height) if is_row else sized(other, one.width, one.width / aspect)


def _for_kontext(sight: NodeView) -> ImageBatch:
    before = sight.frame("image")
    aspect = before.width / before.height
    return sized(before, *min(KONTEXT_SIZES, key=lambda size: abs(aspect - size[0] / size[1])))


def _blended(sight: NodeView) -> ImageBatch:
    one, other = sight.frame("image1"), sight.frame("image2")
    return counted(one, max(one.count, other.count))


def _with_alpha(sight: NodeView) -> ImageBatch:
    image, alpha = sight.frame("image"), sight.frame("alpha")
    return counted(image, min(image.count, alpha.count))


def porter_duff(sight: NodeView) -> ImageBatch:
    names = ("source", "source_alpha", "destination", "destination_alpha")
    return counted(sight.frame("destination"), min(sight.frame(name).count for name in names))


SAME_SIZE = (
    *("Canny", "ImageAddNoise", "ImageBlur", "ImageFlip", "ImageInvert", "ImageQuantize", "ImageRGBToYUV"),
    *("ImageSharpen", "LTXVPreprocess", "Morphology", "SplitImageWithAlpha", "StableCascade_SuperResolutionControlnet"),
    "GetImageSize",
)

RULES: Mapping[str, Callable[[NodeView], ImageBatch]] = {
    **dict.fromkeys(SAME_SIZE, kept("image")),
    **dict.fromkeys(("LoadImage", "LoadImageOutput", "WebcamCapture"), _loaded),
    **dict.fromkeys(("LoadImageSetFromFolderNode", "LoadImageTextSetFromFolderNode"), _folder),
    **dict.fromkeys(("Load3D", "Load3DAnimation"), _to_size),
    "EmptyImage": _empty,
    "FluxKontextImageScale": _for_kontext,
    "ImageBlend": _blended,
    "ImageCompositeMasked": kept("destination"),
    "ImageCrop": _cropped,
    "ImagePadForOutpaint": padded,
    "ImageRotate": _turned,
    "ImageScale": _scaled,
    "ImageScaleBy": _scaled_by,
    "ImageScaleToMaxDimension": _to_largest_side,
    "ImageScaleToTotalPixels": _to_total,
    "ImageStitch": _stitched,
    "ImageUpscaleWithModel": _by_model,
    "ImageYUVToRGB": kept("Y"),
    "JoinImageWithAlpha": _with_alpha,
    "PorterDuffImageComposite": porter_duff,
    "ResizeAndPadImage": _fitted,
}
