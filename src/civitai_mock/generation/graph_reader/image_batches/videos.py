"""Latents of videos, which count as many images as are decoded of them, and videos themselves."""

from collections.abc import Mapping

from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView, Rule, kept

DEFAULT_LENGTH = 25


def _decoded_length(view: NodeView, stride: int) -> int:
    """Return how many images a model decodes: one for the first latent, and `stride` for each after it."""
    return (max(view.whole("length", DEFAULT_LENGTH), 1) - 1) // stride * stride + 1


def _video(stride: int, cell: int) -> Rule:
    def rule(view: NodeView) -> ImageBatch:
        length = _decoded_length(view, stride) * max(view.whole("batch_size", 1), 1)
        return ImageBatch().in_cells(*view.size, cell=cell).counted(length)

    return rule


def _views(count: str) -> Rule:
    """Return the rule of a node for which each image is a latent of its own."""
    return lambda view: ImageBatch().in_cells(*view.size).counted(view.whole(count, 1))


def _trimmed(view: NodeView) -> ImageBatch:
    before = view.batch("samples")
    return before.counted(before.count - 4 * max(view.whole("trim_amount", 0), 0))


def _extended(view: NodeView) -> ImageBatch:
    return view.batch("video_latent").counted(_decoded_length(view, 4))


WAN = (
    *("HunyuanImageToVideo", "EmptyHunyuanLatentVideo", "Wan22FunControlToVideo", "WanAnimateToVideo"),
    *("WanCameraImageToVideo", "WanFirstLastFrameToVideo", "WanFunControlToVideo", "WanFunInpaintToVideo"),
    *("WanHuMoImageToVideo", "WanImageToVideo", "WanPhantomSubjectToVideo", "WanSoundImageToVideo"),
    *("WanTrackToVideo", "WanVaceToVideo"),
)
COSMOS = ("CosmosImageToVideoLatent", "EmptyCosmosLatentVideo")
VIEWS = ("SV3D_Conditioning", "SVD_img2vid_Conditioning")
OTHER_VIEWS = ("StableZero123_Conditioning", "StableZero123_Conditioning_Batched")
LTXV = ("EmptyLTXVLatentVideo", "LTXVImgToVideo")
MADE_BY_MODELS = frozenset(
    {
        *(*WAN, *COSMOS, *VIEWS, *OTHER_VIEWS, *LTXV, "CosmosPredict2ImageToVideoLatent", "EmptyMochiLatentVideo"),
        *("Wan22ImageToVideoLatent", "TrimVideoLatent", "WanSoundImageToVideoExtend"),
    }
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys((*WAN, "CosmosPredict2ImageToVideoLatent"), _video(4, 8)),
    **dict.fromkeys(COSMOS, _video(8, 8)),
    **dict.fromkeys(LTXV, _video(8, 32)),
    "EmptyMochiLatentVideo": _video(6, 8),
    "Wan22ImageToVideoLatent": _video(4, 16),
    **dict.fromkeys(VIEWS, _views("video_frames")),
    **dict.fromkeys(OTHER_VIEWS, _views("batch_size")),
    "TrimVideoLatent": _trimmed,
    "WanSoundImageToVideoExtend": _extended,
    "CreateVideo": kept("images"),
    "GetVideoComponents": kept("video"),
    "LoadVideo": lambda view: view.loaded_batch("file"),
}
