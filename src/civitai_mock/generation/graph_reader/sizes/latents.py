"""Nodes that work in latent space, lead there, or back. Sizes are those of the images that would be decoded."""

from collections.abc import Callable, Mapping

from civitai_mock.domain.images import LATENT_CELL
from civitai_mock.generation.comfyui_facts import SAMPLER_CLASSES
from civitai_mock.generation.graph_reader.facts import DEFAULT_SIDE, ImageBatch
from civitai_mock.generation.graph_reader.sizes.images import scaled_to, turned
from civitai_mock.generation.graph_reader.sizes.node_view import UNKNOWN, NodeView, counted, in_cells, kept, sized

LEAST_SIDE = 64
X4_CELL = 4  # of the VAE of SD's x4 upscaler


def empty(cell: int = LATENT_CELL) -> Callable[[NodeView], ImageBatch]:
    def rule(sight: NodeView) -> ImageBatch:
        width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
        return counted(in_cells(ImageBatch(), width, height, cell=cell), sight.whole("batch_size", 1))

    return rule


def _encoded(*names: str) -> Callable[[NodeView], ImageBatch]:
    def rule(sight: NodeView) -> ImageBatch:
        before = sight.frame(*names)
        return in_cells(before, before.width, before.height)

    return rule


def _scaled(sight: NodeView) -> ImageBatch:
    before = sight.frame("samples")
    width, height = scaled_to(sight, before)
    if (width, height) == (before.width, before.height):
        return before
    is_told = sight.whole("width", DEFAULT_SIDE) and sight.whole("height", DEFAULT_SIDE)
    return in_cells(before.known if is_told else before, max(width, LEAST_SIDE), max(height, LEAST_SIDE))


def _scaled_by(sight: NodeView) -> ImageBatch:
    """Scale in whole cells before and after."""
    before, factor = sight.frame("samples"), sight.real("scale_by", 1.0)
    sides = (max(round(side // LATENT_CELL * factor), 1) * LATENT_CELL for side in (before.width, before.height))
    return sized(before, *sides)


def _cropped(sight: NodeView) -> ImageBatch:
    """Crop so that at least 8 cells are left, if there are as many."""
    before = sight.frame("samples")
    sides = []
    for side, length, start in ((before.width, "width", "x"), (before.height, "height", "y")):
        cells = side // LATENT_CELL
        first = min(sight.whole(start, 0) // LATENT_CELL, max(cells - LEAST_SIDE // LATENT_CELL, 0))
        sides.append(min(sight.whole(length, DEFAULT_SIDE) // LATENT_CELL, cells - first) * LATENT_CELL)
    return sized(before, max(sides[0], LATENT_CELL), max(sides[1], LATENT_CELL))


def _turned(sight: NodeView) -> ImageBatch:
    return turned(sight, "samples")


def _put_together(sight: NodeView) -> ImageBatch:
    one, other, dim = sight.frame("samples1"), sight.frame("samples2"), sight.text("dim").removeprefix("-")
    match dim:
        case "x":
            return sized(one, one.width + other.width, one.height)
        case "y":
            return sized(one, one.width, one.height + other.height)
    return counted(one, one.count + other.count)


def _cut(sight: NodeView) -> ImageBatch:
    before, index, amount = sight.frame("samples"), sight.whole("index", 0), max(sight.whole("amount", 1), 1)
    match sight.text("dim"):
        case "x":
            return sized(before, _part(before.width, index, amount), before.height)
        case "y":
            return sized(before, before.width, _part(before.height, index, amount))
    return before


def _part(side: int, index: int, amount: int) -> int:
    """An index below 0 counts from the end."""
    cells = side // LATENT_CELL
    first = min(index, cells - 1) if index >= 0 else max(cells + index, 0)
    return min(amount, cells - first) * LATENT_CELL


def _stored(sight: NodeView) -> ImageBatch:
    loaded = sight.loaded("latent")
    return loaded.frame if loaded else UNKNOWN


def _for_x4_upscaler(sight: NodeView) -> ImageBatch:
    before, ratio = sight.frame("images"), sight.real("scale_ratio", 4.0)
    return in_cells(before, before.width * ratio, before.height * ratio, cell=X4_CELL)


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

RULES: Mapping[str, Callable[[NodeView], ImageBatch]] = {
    **dict.fromkeys(EMPTY, empty()),
    "EmptyChromaRadianceLatentImage": empty(16),
    "EmptyHunyuanImageLatent": empty(32),
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
    "LatentConcat": _put_together,
    "LatentCrop": _cropped,
    "LatentCut": _cut,
    "LatentRotate": _turned,
    "LatentUpscale": _scaled,
    "LatentUpscaleBy": _scaled_by,
    "LoadLatent": _stored,
    "SD_4XUpscale_Conditioning": _for_x4_upscaler,
}
