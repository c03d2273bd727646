"""Nodes that work in latent space, lead there, or back. Sizes are those of the images that would be decoded."""

from collections.abc import Mapping

from civitai_mock.generation.comfyui_facts import LATENT_CELL, SAMPLER_CLASSES
from civitai_mock.generation.graph_reader.image_batches.batch import DEFAULT_SIDE, ImageBatch
from civitai_mock.generation.graph_reader.image_batches.images import rotated, wanted_size
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView, Rule, kept

LEAST_SIDE = 64
X4_CELL = 4  # of the VAE of SD's x4 upscaler


def _empty(cell: int = LATENT_CELL) -> Rule:
    return lambda view: ImageBatch().in_cells(*view.size, cell=cell).counted(view.whole("batch_size", 1))


def _encoded(name: str) -> Rule:
    def rule(view: NodeView) -> ImageBatch:
        before = view.batch(name)
        return before.in_cells(before.width, before.height)

    return rule


def _scaled(view: NodeView) -> ImageBatch:
    before = view.batch("samples")
    width, height = wanted_size(view, before)
    if (width, height) == (before.width, before.height):
        return before
    known = before.known if all(view.size) else before
    return known.in_cells(max(width, LEAST_SIDE), max(height, LEAST_SIDE))


def _scaled_by(view: NodeView) -> ImageBatch:
    """Scale in whole cells before and after."""
    before, factor = view.batch("samples"), view.real("scale_by", 1.0)
    sides = (max(round(side // LATENT_CELL * factor), 1) * LATENT_CELL for side in (before.width, before.height))
    return before.resized(*sides)


def _cropped(view: NodeView) -> ImageBatch:
    """Crop so that at least 8 cells are left, if there are as many."""
    before = view.batch("samples")
    sides = []
    for side, length, start in ((before.width, "width", "x"), (before.height, "height", "y")):
        cells = side // LATENT_CELL
        first = min(view.whole(start, 0) // LATENT_CELL, max(cells - LEAST_SIDE // LATENT_CELL, 0))
        sides.append(min(view.whole(length, DEFAULT_SIDE) // LATENT_CELL, cells - first) * LATENT_CELL)
    return before.resized(max(sides[0], LATENT_CELL), max(sides[1], LATENT_CELL))


def _concatenated(view: NodeView) -> ImageBatch:
    one, other = view.batch("samples1"), view.batch("samples2")
    match view.text("dim").removeprefix("-"):
        case "x":
            return one.resized(one.width + other.width, one.height)
        case "y":
            return one.resized(one.width, one.height + other.height)
    return one.counted(one.count + other.count)


def _cut(view: NodeView) -> ImageBatch:
    before, index, amount = view.batch("samples"), view.whole("index", 0), max(view.whole("amount", 1), 1)
    match view.text("dim"):
        case "x":
            return before.resized(_part(before.width, index, amount), before.height)
        case "y":
            return before.resized(before.width, _part(before.height, index, amount))
    return before


def _part(side: int, index: int, amount: int) -> int:
    """Return what is left of a side; an index below 0 counts from the end."""
    cells = side // LATENT_CELL
    first = min(index, cells - 1) if index >= 0 else max(cells + index, 0)
    return min(amount, cells - first) * LATENT_CELL


def _for_x4_upscaler(view: NodeView) -> ImageBatch:
    before, ratio = view.batch("images"), view.real("scale_ratio", 4.0)
    return before.in_cells(before.width * ratio, before.height * ratio, cell=X4_CELL)


SAMPLERS = (*SAMPLER_CLASSES, "AddNoise")
SAME_SAMPLES = ("LatentApplyOperation", "LatentBatchSeedBehavior", "LatentFlip", "LatentMultiply", "SetLatentNoiseMask")
OF_TWO = ("LatentAdd", "LatentBlend", "LatentInterpolate", "LatentSubtract")
EMPTY = ("EmptyLatentImage", "EmptySD3LatentImage", "StableCascade_EmptyLatentImage")
MADE_BY_MODELS = frozenset(
    {
        *EMPTY,
        *SAMPLERS,
        *("EmptyChromaRadianceLatentImage", "EmptyHunyuanImageLatent", "InstructPixToPixConditioning"),
        *("StableCascade_StageC_VAEEncode", "LTXVAddGuide", "LTXVCropGuides", "LatentAdd", "LatentSubtract"),
        *("LatentApplyOperation", "LatentMultiply", "LatentConcat", "LatentCut", "SD_4XUpscale_Conditioning"),
    }
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(EMPTY, _empty()),
    "EmptyChromaRadianceLatentImage": _empty(16),
    "EmptyHunyuanImageLatent": _empty(32),
    **dict.fromkeys(("VAEEncode", "VAEEncodeTiled", "VAEEncodeForInpaint"), _encoded("pixels")),
    **dict.fromkeys(("InpaintModelConditioning", "InstructPixToPixConditioning"), _encoded("pixels")),
    "StableCascade_StageC_VAEEncode": _encoded("image"),
    **dict.fromkeys(("VAEDecode", "VAEDecodeTiled"), kept("samples")),
    **dict.fromkeys(SAMPLERS, kept("latent_image")),
    **dict.fromkeys(SAME_SAMPLES, kept("samples")),
    **dict.fromkeys(OF_TWO, kept("samples1")),
    **dict.fromkeys(("HunyuanRefinerLatent", "LTXVAddGuide", "LTXVCropGuides"), kept("latent")),
    "LatentComposite": kept("samples_to"),
    "LatentCompositeMasked": kept("destination"),
    "LatentConcat": _concatenated,
    "LatentCrop": _cropped,
    "LatentCut": _cut,
    "LatentRotate": rotated("samples"),
    "LatentUpscale": _scaled,
    "LatentUpscaleBy": _scaled_by,
    "LoadLatent": lambda view: view.loaded_batch("latent"),
    "SD_4XUpscale_Conditioning": _for_x4_upscaler,
}
