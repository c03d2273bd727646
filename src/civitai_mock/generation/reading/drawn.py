"""Where pixels come from: from a model, which only a drawing can stand in for, or from files and plain arithmetic."""

from collections.abc import Mapping

from civitai_mock.generation.graph import Link
from civitai_mock.generation.reading.nodes import Nodes, text
from civitai_mock.generation.reading.passes import PICTURE_INPUTS
from civitai_mock.generation.reading.sizes import RULES
from civitai_mock.generation.reading.sizes.latents import MADE_BY_MODELS as LATENTS
from civitai_mock.generation.reading.sizes.sight import Load
from civitai_mock.generation.reading.sizes.videos import MADE_BY_MODELS as VIDEOS

FILE_INPUTS: Mapping[str, str] = {
    **dict.fromkeys(("LoadImage", "LoadImageOutput", "LoadImageMask", "WebcamCapture"), "image"),
    "LoadVideo": "file",
    "LoadLatent": "latent",
}
MADE_BY_MODELS = frozenset(
    {
        *LATENTS,
        *VIDEOS,
        *("LoadImageSetFromFolderNode", "LoadImageTextSetFromFolderNode", "Load3D", "Load3DAnimation", "LoadLatent"),
        "StableCascade_SuperResolutionControlnet",
    }
)
# These leave what is drawn as it is: it is drawn at once in the size, and of the place, that they make of it.
LEAVING_DRAWN = frozenset(
    {
        *("ImageScale", "ImageScaleBy", "ImageScaleToMaxDimension", "ImageScaleToTotalPixels", "ImageUpscaleWithModel"),
        *("FluxKontextImageScale", "LatentUpscale", "LatentUpscaleBy", "VAEEncode", "VAEEncodeTiled"),
        *("VAEEncodeForInpaint", "InpaintModelConditioning", "VAEDecode", "VAEDecodeTiled", "SetLatentNoiseMask"),
        *("LatentBatchSeedBehavior", "ImageFromBatch", "LatentFromBatch", "RebatchImages", "RebatchLatents"),
        *("CreateVideo", "GetVideoComponents", "LTXVPreprocess", "HunyuanRefinerLatent", "SaveImage", "PreviewImage"),
        *("SaveImageWebsocket", "SaveAnimatedPNG", "SaveAnimatedWEBP", "SaveWEBM", "SaveVideo", "SaveLatent"),
    }
)


def is_drawn(nodes: Nodes, link: Link, load: Load) -> bool:
    """Whether all pixels here come from a model, or from a file that nothing is known of."""
    seen: set[Link] = set()
    place: Link | None = link
    while place is not None and place not in seen:
        seen.add(place)
        class_type = nodes.class_type(place.node_id)
        if class_type in FILE_INPUTS and class_type not in MADE_BY_MODELS:
            return load(text(nodes.value(place.node_id, FILE_INPUTS[class_type]))) is None
        if class_type in RULES and class_type not in LEAVING_DRAWN:
            return class_type in MADE_BY_MODELS
        place = above(nodes, place)
    return True


def above(nodes: Nodes, link: Link) -> Link | None:
    """Where a node's pictures come from."""
    links = (nodes.link(link.node_id, name) for name in PICTURE_INPUTS)
    return next((found for found in links if found is not None), None)
