"""Which resources a textToImage request names: its model, upscalers, refiner, and whether they can be used."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.comfyui_facts import USUAL_UPSCALING
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.ecosystems.ecosystem import CHECKPOINT, Ecosystem, ModelKind
from civitai_mock.generation.networks.request import job_resource
from civitai_mock.generation.text_to_image.params import CompleteParams, ImageJobParams
from civitai_mock.generation.wire import fault
from civitai_mock.generation.work import is_url

UPSCALER = "upscaler"
REFINER_PATH = "params.refiner.model"
MOST_FROM_A_SOURCE = 64  # what RepeatLatentBatch takes
LARGEST_HIRES_SIDE = 4096
LARGEST_UPSCALED_SIDE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExtras:
    """`airs` are those of the resources by what the request calls them; `resources` has each once."""

    airs: Mapping[str, str]
    resources: tuple[JobResource, ...]


def extra_references(params: ImageJobParams) -> Mapping[str, str]:
    """The AIRs as they were sent, by their path."""
    hires, upscale, refiner = params.hires, params.upscale, params.refiner
    named = {
        "params.hires.upscaler": None if hires is None else hires.upscaler,
        "params.upscale.model": None if upscale is None else upscale.model,
        REFINER_PATH: None if refiner is None else refiner.model,
    }
    return {path: text for path, text in named.items() if text is not None}


def source_url(params: ImageJobParams) -> Mapping[str, str]:
    """Of the source image by its path, if that has to be fetched."""
    source = params.source_image
    return {"params.sourceImage": source} if source is not None and is_url(source) else {}


def choose_extras(params: ImageJobParams, resources: Mapping[str, Resource], ecosystem: Ecosystem) -> ChosenExtras:
    """Raise `InvalidRequestError` for what the ecosystem or the type of a resource does not allow."""
    if params.refiner is not None and not ecosystem.has_refiner:
        raise fault("params.refiner", f"There is no refiner for {ecosystem.name}.")
    chosen: dict[str, JobResource] = {}
    airs = {}
    for path, text in extra_references(params).items():
        found = job_resource(resources[text])
        check = _check_refiner if path == REFINER_PATH else _check_upscaler
        check(found.air, ecosystem, path)
        airs[text] = str(chosen.setdefault(found.air.key, found).air)
    return ChosenExtras(airs=airs, resources=tuple(chosen.values()))


def _check_upscaler(air: Air, _: Ecosystem, path: str) -> None:
    """Of any ecosystem: it works on pixels."""
    if (air.stated_type or UPSCALER) != UPSCALER:
        raise fault(path, f"'{air}' is no upscaler.")


def _check_refiner(air: Air, ecosystem: Ecosystem, path: str) -> None:
    if (air.stated_type or CHECKPOINT) != CHECKPOINT or find_ecosystem(air) is not ecosystem:
        raise fault(path, f"'{air}' is no refiner; expected a {CHECKPOINT} of {ecosystem.name}.")


def check_extras(params: CompleteParams, *, quantity: int) -> None:
    """Raise `InvalidRequestError` for what could not be drawn."""
    if params.source_image is not None and quantity > MOST_FROM_A_SOURCE:
        raise fault("quantity", f"Of a sourceImage there can be at most {MOST_FROM_A_SOURCE} images.")
    if params.refiner is not None and params.steps == 1:
        raise fault("params.refiner", "A refiner needs a step of its own: there have to be 2 steps or more.")
    if params.hires is not None and params.sampled_size.larger_side > LARGEST_HIRES_SIDE:
        raise fault("params.hires.scale", f"The larger side must stay within {LARGEST_HIRES_SIDE} pixels.")
    if params.upscale is not None:
        scale = params.upscale.scale or USUAL_UPSCALING
        if params.sampled_size.scaled(scale).larger_side > LARGEST_UPSCALED_SIDE:
            raise fault(
                "params.upscale",
                f"The larger side must stay within {LARGEST_UPSCALED_SIDE} pixels;"
                f" an upscale without a scale counts as one of {USUAL_UPSCALING}.",
            )


PATH = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """`kind` is one of its ecosystem's."""

    resource: JobResource
    ecosystem: Ecosystem
    kind: ModelKind


def choose_model(resource: Resource) -> ChosenModel:
    """Raise `InvalidRequestError` for a resource that is no model of an ecosystem we know."""
    ecosystem = _ecosystem_of(resource.air)
    return ChosenModel(resource=job_resource(resource), ecosystem=ecosystem, kind=ecosystem.kind_of(resource))


def _ecosystem_of(model: Air) -> Ecosystem:
    ecosystem = find_ecosystem(model)
    if ecosystem is None:
        raise fault(PATH, f"The ecosystem of '{model}' is not supported; known: {', '.join(ECOSYSTEMS)}.")
    if (model.stated_type or CHECKPOINT) not in ecosystem.model_types:
        raise fault(PATH, f"'{model}' is no model; expected a {CHECKPOINT}.")
    return ecosystem
