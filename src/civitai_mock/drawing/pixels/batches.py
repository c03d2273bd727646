"""Operations on batches: join them, take images from them, or pass them on unchanged."""

from collections.abc import Mapping

from PIL import Image

from civitai_mock.drawing.pixels.node_images import NodeImages, Operation
from civitai_mock.drawing.pixels.scaling import scaled


def _same(name: str) -> Operation:
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
    "RepeatImageBatch": _same("image"),
    "RepeatLatentBatch": _same("samples"),
    "RebatchImages": _same("images"),
    "RebatchLatents": _same("latents"),
    **dict.fromkeys(("VAEDecode", "VAEDecodeTiled", "SetLatentNoiseMask", "LatentBatchSeedBehavior"), _same("samples")),
    "CreateVideo": _same("images"),
    "GetVideoComponents": _same("video"),
    "LTXVPreprocess": _same("image"),
    "HunyuanRefinerLatent": _same("latent"),
}
