"""Latents of videos, which count as many images as are decoded of them, and videos themselves."""

from collections.abc import Callable, Mapping

from civitai_mock.generation.graph_reader.facts import DEFAULT_SIDE, ImageBatch
from civitai_mock.generation.graph_reader.sizes.node_view import UNKNOWN, NodeView, counted, in_cells, kept

DEFAULT_LENGTH = 25


def _lengths(sight: NodeView, name: str, stride: int) -> int:
    """A model decodes one image for the first latent, and `stride` for each after it."""
    return (max(sight.whole(name, DEFAULT_LENGTH), 1) - 1) // stride * stride + 1


def _video(stride: int, cell: int) -> Callable[[NodeView], ImageBatch]:
    def rule(sight: NodeView) -> ImageBatch:
        width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
        frame = in_cells(ImageBatch(), width, height, cell=cell)
        return counted(frame, _lengths(sight, "length", stride) * max(sight.whole("batch_size", 1), 1))

    return rule


def _views(count: str) -> Callable[[NodeView], ImageBatch]:
    """Each image is a latent of its own."""

    def rule(sight: NodeView) -> ImageBatch:
        width, height = sight.whole("width", DEFAULT_SIDE), sight.whole("height", DEFAULT_SIDE)
        return counted(in_cells(ImageBatch(), width, height), sight.whole(count, 1))

    return rule


def _trimmed(sight: NodeView) -> ImageBatch:
    before = sight.frame("samples")
    return counted(before, before.count - 4 * max(sight.whole("trim_amount", 0), 0))


def _extended(sight: NodeView) -> ImageBatch:
    return counted(sight.frame("video_latent"), _lengths(sight, "length", 4))


def _stored(sight: NodeView) -> ImageBatch:
    loaded = sight.loaded("file")
    return loaded.frame if loaded else UNKNOWN


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

RULES: Mapping[str, Callable[[NodeView], ImageBatch]] = {
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
    "LoadVideo": _stored,
}
