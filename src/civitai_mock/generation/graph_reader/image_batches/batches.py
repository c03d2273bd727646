"""Nodes that change how many images or latents there are, and output nodes, which change nothing."""

from collections.abc import Mapping

from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView, Rule, kept


def _joined(first: str, second: str) -> Rule:
    """Return the rule of a node that makes the second as large as the first."""

    def rule(view: NodeView) -> ImageBatch:
        batch = view.batch(first)
        return batch.counted(batch.count + view.batch(second).count)

    return rule


def _repeated(name: str) -> Rule:
    def rule(view: NodeView) -> ImageBatch:
        batch = view.batch(name)
        return batch.counted(batch.count * view.whole("amount", 1))

    return rule


def _taken(name: str) -> Rule:
    """Return the rule of a node that takes a part of the batch that a sampler made."""
    return lambda view: view.batch(name).taken(view.whole("batch_index", 0), view.whole("length", 1))


RULES: Mapping[str, Rule] = {
    "ImageBatch": _joined("image1", "image2"),
    "LatentBatch": _joined("samples1", "samples2"),
    "RepeatImageBatch": _repeated("image"),
    "RepeatLatentBatch": _repeated("samples"),
    "ImageFromBatch": _taken("image"),
    "LatentFromBatch": _taken("samples"),
    "RebatchImages": kept("images"),
    "RebatchLatents": kept("latents"),
    **dict.fromkeys(("SaveImage", "PreviewImage", STREAMING_CLASS, "SaveAnimatedWEBP"), kept("images")),
    **dict.fromkeys(("SaveAnimatedPNG", "SaveWEBM"), kept("images")),
    "MaskPreview": kept("mask"),
    "SaveLatent": kept("samples"),
    "SaveVideo": kept("video"),
    "PreviewAny": kept("source"),
}
