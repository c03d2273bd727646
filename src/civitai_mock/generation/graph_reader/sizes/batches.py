"""Nodes that change how many images or latents there are, and output nodes, which change nothing."""

from collections.abc import Callable, Mapping

from civitai_mock.generation.graph_reader.facts import ImageBatch
from civitai_mock.generation.graph_reader.sizes.node_view import NodeView, counted, kept


def _joined(first: str, second: str) -> Callable[[NodeView], ImageBatch]:
    """The second is made as large as the first."""

    def rule(sight: NodeView) -> ImageBatch:
        frame = sight.frame(first)
        return counted(frame, frame.count + sight.frame(second).count)

    return rule


def _repeated(name: str) -> Callable[[NodeView], ImageBatch]:
    def rule(sight: NodeView) -> ImageBatch:
        frame = sight.frame(name)
        return counted(frame, frame.count * sight.whole("amount", 1))

    return rule


def _taken(name: str) -> Callable[[NodeView], ImageBatch]:
    """Return the rule of a node that takes a part of the batch that a sampler made."""

    def rule(sight: NodeView) -> ImageBatch:
        frame = sight.frame(name)
        skipped = min(max(sight.whole("batch_index", 0), 0), frame.count - 1)
        taken = counted(frame, min(max(sight.whole("length", 1), 1), frame.count - skipped))
        return taken.skipping(skipped)

    return rule


RULES: Mapping[str, Callable[[NodeView], ImageBatch]] = {
    "ImageBatch": _joined("image1", "image2"),
    "LatentBatch": _joined("samples1", "samples2"),
    "RepeatImageBatch": _repeated("image"),
    "RepeatLatentBatch": _repeated("samples"),
    "ImageFromBatch": _taken("image"),
    "LatentFromBatch": _taken("samples"),
    "RebatchImages": kept("images"),
    "RebatchLatents": kept("latents"),
    **dict.fromkeys(("SaveImage", "PreviewImage", "SaveImageWebsocket", "SaveAnimatedWEBP"), kept("images")),
    **dict.fromkeys(("SaveAnimatedPNG", "SaveWEBM"), kept("images")),
    "MaskPreview": kept("mask"),
    "SaveLatent": kept("samples"),
    "SaveVideo": kept("video"),
    "PreviewAny": kept("source"),
}
