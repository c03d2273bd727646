"""Read how the output images of any graph are made, by the names of inputs rather than of nodes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import MADE_BY_MODELS, RULES, ImageBatches
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch, Load, nothing_known
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.outputs import OUTPUTS, output_rank, result_count
from civitai_mock.generation.graph_reader.samplers import IMAGE_INPUTS, SamplerPass, is_sampler, sampler_pass_at

FILE_INPUTS: Mapping[str, str] = {
    **dict.fromkeys(("LoadImage", "LoadImageOutput", "LoadImageMask", "WebcamCapture"), "image"),
    "LoadVideo": "file",
    "LoadLatent": "latent",
}
DRAWN_CLASSES = MADE_BY_MODELS.union(
    (
        *("LoadImageSetFromFolderNode", "LoadImageTextSetFromFolderNode", "Load3D", "Load3DAnimation", "LoadLatent"),
        "StableCascade_SuperResolutionControlnet",
    )
)
# These leave what is drawn as it is: it is drawn at once in the size, and of the place, that they make of it.
LEAVING_DRAWN = frozenset(
    {
        *("ImageScale", "ImageScaleBy", "ImageScaleToMaxDimension", "ImageScaleToTotalPixels", "ImageUpscaleWithModel"),
        *("FluxKontextImageScale", "LatentUpscale", "LatentUpscaleBy", "VAEEncode", "VAEEncodeTiled"),
        *("VAEEncodeForInpaint", "InpaintModelConditioning", "VAEDecode", "VAEDecodeTiled", "SetLatentNoiseMask"),
        *("LatentBatchSeedBehavior", "ImageFromBatch", "LatentFromBatch", "RebatchImages", "RebatchLatents"),
        *("CreateVideo", "GetVideoComponents", "LTXVPreprocess", "HunyuanRefinerLatent", "SaveImage", "PreviewImage"),
        *(STREAMING_CLASS, "SaveAnimatedPNG", "SaveAnimatedWEBP", "SaveWEBM", "SaveVideo", "SaveLatent"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputImages:
    """Says what images an output node gives out, and how they are made.

    They are made from `source`, if that is a file, by the `passes` in their order; `vae` is a file of its own, if that
    has decoded them, `upscaler` made them larger after the last pass. A client gets that many `results`, files whose
    names end in `suffix`. They are `is_drawn` where a model would make the pixels, so that a drawing stands in for
    them. `effort` is what each sampler node has to do, in steps times megapixels.
    """

    node_id: str
    is_preview: bool = False
    results: int = 0
    suffix: str = ""
    is_drawn: bool = True
    vae: str = ""
    upscaler: str = ""
    batch: ImageBatch
    passes: tuple[SamplerPass, ...] = ()
    source: str = ""
    effort: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_drawn_image(self) -> bool:
        """Return whether each of its files is one image, and nothing but a drawing."""
        return self.is_drawn and self.suffix == "png" and self.results == self.batch.count

    @property
    def main(self) -> SamplerPass:
        """Return the pass that the others refine."""
        return self.passes[0] if self.passes else SamplerPass()


def is_drawn(nodes: Nodes, link: Link, load: Load) -> bool:
    """Return whether all pixels at an output come from a model, or from a file that nothing is known of."""
    seen: set[Link] = set()
    place: Link | None = link
    while place is not None and place not in seen:
        seen.add(place)
        class_type = nodes.class_type(place.node_id)
        if class_type in FILE_INPUTS and class_type not in DRAWN_CLASSES:
            return load(as_text(nodes.value(place.node_id, FILE_INPUTS[class_type]))) is None
        if class_type in RULES and class_type not in LEAVING_DRAWN:
            return class_type in DRAWN_CLASSES
        place = image_source(nodes, place)
    return True


def image_source(nodes: Nodes, link: Link) -> Link | None:
    """Return where the images of a node come from."""
    links = (nodes.link(link.node_id, name) for name in IMAGE_INPUTS)
    return next((found for found in links if found is not None), None)


def read_output_images(nodes: Nodes, *, load: Load = nothing_known) -> Sequence[OutputImages]:
    """Read each output node, in the order of `output_rank`."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUTS]
    ordered = sorted(outputs, key=lambda node_id: output_rank(node_id, outputs))
    batches = ImageBatches(nodes, load=load)
    return [read_output(nodes, Link(node_id, 0), batches) for node_id in ordered]


def read_output(nodes: Nodes, link: Link, batches: ImageBatches) -> OutputImages:
    """Read what an output of a node gives out, or what an output node shows."""
    class_type, batch = nodes.class_type(link.node_id), batches.at(link)
    path, output = list(_path_of_images(nodes, link))[::-1], OUTPUTS.get(class_type)
    passes: list[SamplerPass] = []
    upscaler = ""
    effort: dict[str, float] = {}
    for place in path:
        step, here = place.node_id, batches.at(place)
        upscaler = _upscaler(nodes, step) or upscaler
        if is_sampler(nodes.inputs(step)):
            width, height = (0, 0) if here.guessed else (here.width, here.height)
            sampled = replace(sampler_pass_at(nodes, step), upscaler=upscaler, width=width, height=height)
            upscaler = ""
            passes.append(sampled)
            effort[step] = sampled.steps_taken * sampled.denoise * here.megapixels
    return OutputImages(
        node_id=link.node_id,
        is_preview=output is not None and output.is_temp,
        results=result_count(class_type, batch.count),
        suffix=output.suffix if output else "",
        is_drawn=is_drawn(nodes, link, batches.load),
        batch=batch,
        passes=tuple(passes),
        source=as_text(nodes.inputs(path[0].node_id).get("image")),
        vae=next((vae for place in reversed(path) if (vae := _vae(nodes, place.node_id))), ""),
        upscaler=upscaler,
        effort=effort,
    )


def _path_of_images(nodes: Nodes, link: Link) -> Iterator[Link]:
    """Follow an output up to where its images begin."""
    seen: set[str] = set()
    place: Link | None = link
    while place is not None and place.node_id not in seen:
        yield place
        seen.add(place.node_id)
        place = image_source(nodes, place)


def _upscaler(nodes: Nodes, node_id: str) -> str:
    """Return what makes images, or latents, larger at this node."""
    model = nodes.linked(node_id, ("upscale_model",))
    if model is not None:
        return as_text(nodes.value(model, "model_name"))
    method = as_text(nodes.value(node_id, "upscale_method"))
    return f"Latent ({method})" if method and nodes.linked(node_id, ("samples",)) else ""


def _vae(nodes: Nodes, node_id: str) -> str:
    vae = nodes.linked(node_id, ("vae",))
    return "" if vae is None else as_text(nodes.value(vae, "vae_name"))
