"""Which image of a batch is meant, and nodes that hand images on as they are."""

from collections.abc import Mapping

from PIL import Image

from civitai_mock.drawing.pixels.node_images import NodeImages, Operation
from civitai_mock.drawing.pixels.scaling import scaled


def same(name: str) -> Operation:
    return lambda node: node.image(name)


def _joined(first: str, second: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        if node.index < node.count(first):
            return node.image(first)
        return scaled(node.image(second, node.index - node.count(first)), node.size, crop="center")

    return operation


def _taken(name: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        skipped = min(max(node.view.whole("batch_index", 0), 0), node.count(name) - 1)
        return node.image(name, skipped + node.index)

    return operation


OPERATIONS: Mapping[str, Operation] = {
    "ImageBatch": _joined("image1", "image2"),
    "LatentBatch": _joined("samples1", "samples2"),
    "ImageFromBatch": _taken("image"),
    "LatentFromBatch": _taken("samples"),
    "RepeatImageBatch": same("image"),
    "RepeatLatentBatch": same("samples"),
    "RebatchImages": same("images"),
    "RebatchLatents": same("latents"),
    **dict.fromkeys(("VAEDecode", "VAEDecodeTiled", "SetLatentNoiseMask", "LatentBatchSeedBehavior"), same("samples")),
    "CreateVideo": same("images"),
    "GetVideoComponents": same("video"),
    "LTXVPreprocess": same("image"),
    "HunyuanRefinerLatent": same("latent"),
}
