"""Choose the resources that a textToImage request names, model, upscalers and refiner, and check their use."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.comfyui_facts import USUAL_UPSCALING
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.ecosystems.ecosystem import CHECKPOINT, Ecosystem, ModelKind
from civitai_mock.generation.text_to_image.params import CompleteParams, ImageJobParams, Size
from civitai_mock.generation.wire import fault
from civitai_mock.generation.work import is_url

UPSCALER = "upscaler"
MODEL_PATH = "model"
REFINER_PATH = "params.refiner.model"
MOST_FROM_A_SOURCE = 64  # what RepeatLatentBatch takes
LARGEST_HIRES_SIDE = 4096
LARGEST_UPSCALED_SIDE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExtras:
    """Holds the AIRs of the resources by what the request calls them, and each resource once."""

    airs: Mapping[str, str]
    resources: tuple[JobResource, ...]


def extra_references(params: ImageJobParams) -> Mapping[str, str]:
    """Return the AIRs as they were sent, by their path."""
    hires, upscale, refiner = params.hires, params.upscale, params.refiner
    if hires is None and upscale is None and refiner is None:
        return {}
    named = {
        "params.hires.upscaler": None if hires is None else hires.upscaler,
        "params.upscale.model": None if upscale is None else upscale.model,
        REFINER_PATH: None if refiner is None else refiner.model,
    }
    return {path: text for path, text in named.items() if text is not None}


def source_url(params: ImageJobParams) -> Mapping[str, str]:
    """Return the URL of the source image by its path, if that has to be fetched."""
    source = params.source_image
    return {"params.sourceImage": source} if source is not None and is_url(source) else {}


def choose_extras(params: ImageJobParams, resources: Mapping[str, Resource], ecosystem: Ecosystem) -> ChosenExtras:
    """Find upscalers and refiner; raise `InvalidRequestError` for what ecosystem or AIR type do not allow."""
    if params.refiner is not None and not ecosystem.has_refiner:
        raise fault("params.refiner", f"{ecosystem.name} has no refiner; leave it out.")
    chosen: dict[str, JobResource] = {}
    airs = {}
    for path, text in extra_references(params).items():
        found = resources[text].for_job
        check = _check_refiner if path == REFINER_PATH else _check_upscaler
        check(found.air, ecosystem, path)
        airs[text] = str(chosen.setdefault(found.air.key, found).air)
    return ChosenExtras(airs=airs, resources=tuple(chosen.values()))


def _check_upscaler(air: Air, _: Ecosystem, path: str) -> None:
    """Take an upscaler of any ecosystem, as it works on pixels."""
    if (air.stated_type or UPSCALER) != UPSCALER:
        raise fault(path, f"'{air}' is not an upscaler; expected one of type {UPSCALER}.")


def _check_refiner(air: Air, ecosystem: Ecosystem, path: str) -> None:
    if (air.stated_type or CHECKPOINT) != CHECKPOINT or find_ecosystem(air) is not ecosystem:
        raise fault(path, f"'{air}' is not a refiner; expected a {CHECKPOINT} of {ecosystem.name}.")


def check_extras(params: CompleteParams, *, quantity: int) -> None:
    """Raise `InvalidRequestError` for what could not be drawn."""
    if params.source_image is not None and quantity > MOST_FROM_A_SOURCE:
        message = f"quantity must be at most {MOST_FROM_A_SOURCE} when sourceImage is set; found {quantity}."
        raise fault("quantity", message)
    if params.refiner is not None and params.steps == 1:
        raise fault("params.refiner", "steps must be at least 2 when refiner is set, one for each model; found 1.")
    if params.hires is not None:
        _check_side(params.sampled_size, LARGEST_HIRES_SIDE, "params.hires.scale", of="the hires pass")
    if params.upscale is not None:
        size = params.sampled_size.scaled(params.upscale.scale or USUAL_UPSCALING)
        of = "the upscale" if params.upscale.scale else f"an upscale without a scale, which counts as {USUAL_UPSCALING}"
        _check_side(size, LARGEST_UPSCALED_SIDE, "params.upscale", of=of)


def _check_side(size: Size, most: int, path: str, *, of: str) -> None:
    if size.larger_side > most:
        raise fault(path, f"The larger side must be at most {most} pixels after {of}; found {size.larger_side}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """Holds the model of a request; `kind` is one of those of its ecosystem."""

    resource: JobResource
    ecosystem: Ecosystem
    kind: ModelKind


def choose_model(resource: Resource) -> ChosenModel:
    """Return a model; raise `InvalidRequestError` for a resource that is not one of a known ecosystem."""
    ecosystem = _ecosystem_of(resource.air)
    return ChosenModel(resource=resource.for_job, ecosystem=ecosystem, kind=ecosystem.kind_of(resource))


def _ecosystem_of(model: Air) -> Ecosystem:
    ecosystem = find_ecosystem(model)
    if ecosystem is None:
        raise fault(MODEL_PATH, f"The ecosystem of '{model}' is not supported; known: {', '.join(ECOSYSTEMS)}.")
    if (model.stated_type or CHECKPOINT) not in ecosystem.model_types:
        raise fault(MODEL_PATH, f"'{model}' is not a model; expected a {CHECKPOINT}.")
    return ecosystem
