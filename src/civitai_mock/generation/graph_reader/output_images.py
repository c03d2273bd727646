"""Read how the output images of any API-format graph are made, by the names of inputs rather than of nodes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.facts import OutputImages, SamplerPass
from civitai_mock.generation.graph_reader.image_batches import ImageBatches, nothing_known
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.outputs import OUTPUTS, output_rank, result_count
from civitai_mock.generation.graph_reader.samplers import IMAGE_INPUTS, sampler_pass_at, samples
from civitai_mock.generation.graph_reader.sizes import RULES
from civitai_mock.generation.graph_reader.sizes.latents import MADE_BY_MODELS as LATENTS
from civitai_mock.generation.graph_reader.sizes.node_view import Load
from civitai_mock.generation.graph_reader.sizes.videos import MADE_BY_MODELS as VIDEOS

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
            return load(as_text(nodes.value(place.node_id, FILE_INPUTS[class_type]))) is None
        if class_type in RULES and class_type not in LEAVING_DRAWN:
            return class_type in MADE_BY_MODELS
        place = above(nodes, place)
    return True


def above(nodes: Nodes, link: Link) -> Link | None:
    """Where a node's images come from."""
    links = (nodes.link(link.node_id, name) for name in IMAGE_INPUTS)
    return next((found for found in links if found is not None), None)


def read_output_images(nodes: Nodes, *, load: Load = nothing_known) -> Sequence[OutputImages]:
    """One for each output node: numbers in their order, then names in the graph's."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUTS]
    ordered = sorted(outputs, key=lambda node_id: output_rank(node_id, outputs))
    frames = ImageBatches(nodes, load=load)
    return [read_output(nodes, Link(node_id, 0), frames) for node_id in ordered]


def read_output(nodes: Nodes, link: Link, frames: ImageBatches) -> OutputImages:
    """What one output of a node gives out, or what an output node shows."""
    class_type, frame = nodes.class_type(link.node_id), frames.of(link)
    path, output = list(_way_of_the_pixels(nodes, link))[::-1], OUTPUTS.get(class_type)
    passes: list[SamplerPass] = []
    upscaler = ""
    effort: dict[str, float] = {}
    for place in path:
        step, here = place.node_id, frames.of(place)
        upscaler = _upscaler(nodes, step) or upscaler
        if samples(nodes.inputs(step)):
            width, height = (0, 0) if here.guessed else (here.width, here.height)
            sampled = replace(sampler_pass_at(nodes, step), upscaler=upscaler, width=width, height=height)
            upscaler = ""
            passes.append(sampled)
            effort[step] = sampled.steps_taken * sampled.denoise * here.megapixels
    return OutputImages(
        node_id=link.node_id,
        is_preview=output is not None and output.is_temp,
        results=result_count(class_type, frame.count),
        suffix=output.suffix if output else "",
        is_drawn=is_drawn(nodes, link, frames.load),
        frame=frame,
        passes=tuple(passes),
        source=as_text(nodes.inputs(path[0].node_id).get("image")),
        vae=next((vae for place in reversed(path) if (vae := _vae(nodes, place.node_id))), ""),
        upscaler=upscaler,
        effort=effort,
    )


def _way_of_the_pixels(nodes: Nodes, link: Link) -> Iterator[Link]:
    """Follow an output up to where its pixels begin."""
    seen: set[str] = set()
    place: Link | None = link
    while place is not None and place.node_id not in seen:
        yield place
        seen.add(place.node_id)
        place = above(nodes, place)


def _upscaler(nodes: Nodes, node_id: str) -> str:
    """What makes images, or latents, larger at this node."""
    model = nodes.linked(node_id, ("upscale_model",))
    if model is not None:
        return as_text(nodes.value(model, "model_name"))
    method = as_text(nodes.value(node_id, "upscale_method"))
    return f"Latent ({method})" if method and nodes.linked(node_id, ("samples",)) else ""


def _vae(nodes: Nodes, node_id: str) -> str:
    vae = nodes.linked(node_id, ("vae",))
    return "" if vae is None else as_text(nodes.value(vae, "vae_name"))
