"""Nodes that give out masks, or make images of them."""

from collections.abc import Callable, Mapping

from civitai_mock.generation.graph_reader.facts import DEFAULT_SIDE, ImageBatch
from civitai_mock.generation.graph_reader.sizes import images
from civitai_mock.generation.graph_reader.sizes.node_view import UNKNOWN, NodeView, kept, sized


def _channel(sight: NodeView) -> ImageBatch:
    """Give the mask of a whole image: one without transparency is opaque."""
    loaded = sight.loaded("image")
    return sized(ImageBatch(), loaded.width, loaded.height) if loaded else UNKNOWN


def _solid(sight: NodeView) -> ImageBatch:
    return sized(ImageBatch(), sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE))


def _cropped(sight: NodeView) -> ImageBatch:
    before = sight.frame("mask")
    left, top = before.width - sight.whole("x", 0), before.height - sight.whole("y", 0)
    width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
    return sized(before, min(width, left), min(height, top))


RULES: Mapping[str, Callable[[NodeView], ImageBatch]] = {
    **dict.fromkeys(("FeatherMask", "GrowMask", "InvertMask", "MaskToImage", "ThresholdMask"), kept("mask")),
    **dict.fromkeys(("ImageColorToMask", "ImageToMask"), kept("image")),
    "CropMask": _cropped,
    "ImagePadForOutpaint": images.padded,
    "LoadImageMask": _channel,
    "MaskComposite": kept("destination"),
    "SolidMask": _solid,
}
