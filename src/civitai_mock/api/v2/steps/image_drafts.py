"""Make drafts of the inputs of imageGen: graphs for what runs on workers of ours, drawings for all other models."""

from collections.abc import Mapping

from civitai_mock.api.v2.steps.image_members import (
    JPEG_EXTENSION,
    USUAL_SIZE,
    air_ecosystem,
    control_net_drafts,
    control_net_paths,
    image_file,
    image_size,
    input_images,
    is_reference_to_model,
    model_airs,
    network_drafts,
    whole,
)
from civitai_mock.domain.json_types import JsonObject, as_number, as_text
from civitai_mock.domain.media import extension_of
from civitai_mock.domain.sampling import LEFT_OPEN, Sampling, sdcpp_sampling
from civitai_mock.generation.ecosystems import ECOSYSTEMS
from civitai_mock.generation.ecosystems.flux1 import FLUX1
from civitai_mock.generation.job_types.images import ImageGenSpec
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.generation.media import ImageFile, ImageFormat

OWN_ENGINES = frozenset({"sdcpp", "comfy"})
TEXT_ENCODERS = ("clipLModel", "t5XXLModel")
MODELS = ("model", "diffuserModel")
STRENGTHS = ("strength", "denoiseStrength", "sourceImageDenoiseStrenght")
DISCRETE = "discrete"
MOST_STEPS = 150
USUAL_STRENGTH = 0.75
# The paths of fields of drafts: networks, models and images are named by theirs.
PATHS: Mapping[str, str] = {
    "networks.": "",
    "networks": "loras",
    "text_encoders.": "",
    "source_image": "image",
    "clip_skip": "clipSkip",
}


def image_gen_draft(members: JsonObject) -> ImageGenSpec | TextToImageDraft:
    """Return the draft of one image, which has no seed yet; all references are resolved."""
    ecosystem = ECOSYSTEMS.get(as_text(members.get("ecosystem")).lower())
    model = _model_member(members)
    is_edit = "edit" in as_text(members.get("operation")).lower()
    if as_text(members.get("engine")) not in OWN_ENGINES or ecosystem is None or model is None or is_edit:
        return drawing_draft(members, extension=_extension(image_file(members)))
    return _graph_draft(members, ecosystem.name, model)


def graph_paths(members: JsonObject) -> Mapping[str, str]:
    """Return the places of the fields of a draft in the input."""
    known = {**PATHS, **control_net_paths(members)} if members.get("controlNets") else PATHS
    model = _model_member(members) or "model"
    return known if model == "model" else {**known, "model": model}


def _model_member(members: JsonObject) -> str | None:
    """Return the name of the member that names the model by its AIR."""
    for name in MODELS:
        if is_reference_to_model(members.get(name)):
            return name
    return None


def _graph_draft(members: JsonObject, ecosystem: str, model: str) -> TextToImageDraft:
    size, file = image_size(members, otherwise=None), image_file(members)
    encoders = {name: air for name in TEXT_ENCODERS if (air := as_text(members.get(name)))}
    return TextToImageDraft(
        model=as_text(members[model]),
        ecosystem=ecosystem,
        text_encoders=encoders or None,
        prompt=as_text(members.get("prompt")),
        negative_prompt=as_text(members.get("negativePrompt")) or None,
        sampling=_sampling(members, ecosystem),
        steps=whole(members, "steps", low=1, high=MOST_STEPS),
        cfg_scale=as_number(members.get("cfgScale")),
        width=size.width if size else None,
        height=size.height if size else None,
        clip_skip=whole(members, "clipSkip", low=1, high=24),
        source_image=as_text(members.get("image")) or None,
        denoise_strength=_strength(members),
        networks=network_drafts(members),
        control_nets=control_net_drafts(members),
        quantity=1,
        file=file,
        extension=_extension(file),
    )


def has_graph(model: str) -> bool:
    """Return whether there may be a graph for a model, by the ecosystem that its AIR tells."""
    ecosystem = air_ecosystem(model)
    return not ecosystem or ecosystem in ECOSYSTEMS


def drawing_draft(members: JsonObject, *, extension: str | None = None) -> ImageGenSpec:
    """Return the draft of an image that is drawn without a graph, over the input images that there are, by a seed of 0.

    See `PlannedFile` for the `extension`.
    """
    images, file = input_images(members), image_file(members)
    size = image_size(members, otherwise=None if images else USUAL_SIZE)
    loras = {str(draft.name): draft for draft in network_drafts(members)}
    sampling = _sampling(members, "") or LEFT_OPEN
    return ImageGenSpec(
        engine=as_text(members.get("engine")),
        model=" ".join(filter(None, (as_text(members.get(name)) for name in ("ecosystem", "model", "version")))),
        prompt=as_text(members.get("prompt")),
        negative_prompt=as_text(members.get("negativePrompt")),
        sampler=sampling.sampler,
        noise_schedule=sampling.noise_schedule,
        steps=whole(members, "steps", low=0, high=MOST_STEPS)
        or whole(members, "numInferenceSteps", low=0, high=MOST_STEPS)
        or 0,
        cfg_scale=as_number(members.get("cfgScale", members.get("guidanceScale"))),
        seed=0,
        width=size.width if size else None,
        height=size.height if size else None,
        sources=images,
        strength=(_strength(members) or USUAL_STRENGTH) if images else 1,
        models=model_airs(members),
        loras={place: draft.air for place, draft in loras.items()},
        lora_strengths={place: draft.strength for place, draft in loras.items() if draft.strength is not None},
        file=file,
        extension=extension,
    )


def _sampling(members: JsonObject, ecosystem: str) -> Sampling | None:
    """Return ComfyUI's pair; the usual noise levels of sdcpp are those of the model, for FLUX.1 its own."""
    if as_text(members.get("engine")) == "comfy":
        sampling = Sampling(as_text(members.get("sampler")), as_text(members.get("scheduler")))
    else:
        schedule = as_text(members.get("schedule"))
        is_usual = ecosystem == FLUX1.name and schedule == DISCRETE
        sampling = sdcpp_sampling(as_text(members.get("sampleMethod")), "" if is_usual else schedule)
    return None if sampling == LEFT_OPEN else sampling


def _strength(members: JsonObject) -> float | None:
    """Return how much of an input image is drawn anew."""
    for name in STRENGTHS:
        given = as_number(members.get(name))
        if given is not None:
            return min(max(given, 0), 1)
    return None


def _extension(file: ImageFile) -> str:
    return JPEG_EXTENSION if file.format is ImageFormat.JPEG else extension_of(file.content_type)
