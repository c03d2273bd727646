"""Choose the resources that a draft of images names, model, upscalers and refiner, and check their use."""

from collections.abc import Mapping

from civitai_mock.domain.air import Air
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.comfyui_facts import USUAL_UPSCALING
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.ecosystems.ecosystem import CHECKPOINT, Ecosystem, ModelKind
from civitai_mock.generation.text_to_image.draft import HiresDraft, RefinerDraft, UpscaleDraft
from civitai_mock.generation.text_to_image.spec import ImageParams, Size

UPSCALER = "upscaler"
MODEL = "model"
REFINER = "refiner.model"
MOST_FROM_A_SOURCE = 64  # what RepeatLatentBatch takes
LARGEST_HIRES_SIDE = 4096
LARGEST_UPSCALED_SIDE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExtras:
    """Holds the AIRs of the resources by what the draft calls them, and each resource once."""

    airs: Mapping[str, str]
    resources: tuple[JobResource, ...]


NO_EXTRAS = ChosenExtras(airs={}, resources=())


def extra_references(
    hires: HiresDraft | None, upscale: UpscaleDraft | None, refiner: RefinerDraft | None
) -> Mapping[str, str]:
    """Return the AIRs as they were sent, by their field."""
    if hires is None and upscale is None and refiner is None:
        return {}
    named = {
        "hires.upscaler": None if hires is None else hires.upscaler,
        "upscale.model": None if upscale is None else upscale.model,
        REFINER: None if refiner is None else refiner.model,
    }
    return {field: text for field, text in named.items() if text is not None}


def choose_extras(
    references: Mapping[str, str], resources: Mapping[str, Resource], ecosystem: Ecosystem
) -> ChosenExtras:
    """Find upscalers and refiner; raise `FieldError` for what ecosystem or AIR type do not allow."""
    if not references:
        return NO_EXTRAS
    if REFINER in references and not ecosystem.has_refiner:
        raise FieldError("refiner", f"{ecosystem.name} has no refiner; leave it out.")
    chosen: dict[str, JobResource] = {}
    airs = {}
    for field, text in references.items():
        found = resources[text].for_job
        check = _check_refiner if field == REFINER else _check_upscaler
        check(found.air, ecosystem, field)
        airs[text] = str(chosen.setdefault(found.air.key, found).air)
    return ChosenExtras(airs=airs, resources=tuple(chosen.values()))


def _check_upscaler(air: Air, _: Ecosystem, field: str) -> None:
    """Take an upscaler of any ecosystem, as it works on pixels."""
    if (air.stated_type or UPSCALER) != UPSCALER:
        raise FieldError(field, f"'{air}' is not an upscaler; expected one of type {UPSCALER}.")


def _check_refiner(air: Air, ecosystem: Ecosystem, field: str) -> None:
    if (air.stated_type or CHECKPOINT) != CHECKPOINT or find_ecosystem(air) is not ecosystem:
        raise FieldError(field, f"'{air}' is not a refiner; expected a {CHECKPOINT} of {ecosystem.name}.")


def check_extras(params: ImageParams, *, quantity: int) -> None:
    """Raise `FieldError` for what could not be drawn."""
    if params.source_image is not None and quantity > MOST_FROM_A_SOURCE:
        message = f"{{}} must be at most {MOST_FROM_A_SOURCE} when {{}} is set; found {quantity}."
        raise FieldError("quantity", message, names=["quantity", "source_image"])
    if params.refiner is not None and params.steps == 1:
        raise FieldError("refiner", "steps must be at least 2 when refiner is set, one for each model; found 1.")
    if params.hires is not None:
        _check_side(params.sampled_size, LARGEST_HIRES_SIDE, "hires.scale", of="the hires pass")
    if params.upscale is not None:
        of = "the upscale" if params.upscale.scale else f"an upscale without a scale, which counts as {USUAL_UPSCALING}"
        _check_side(final_size(params), LARGEST_UPSCALED_SIDE, "upscale", of=of)


def final_size(params: ImageParams) -> Size:
    """Return the size that images have at the end, as far as it is known which upscaling a model does."""
    if params.upscale is None:
        return params.sampled_size
    return params.sampled_size.scaled(params.upscale.scale or USUAL_UPSCALING)


def _check_side(size: Size, most: int, field: str, *, of: str) -> None:
    if size.larger_side > most:
        raise FieldError(field, f"The larger side must be at most {most} pixels after {of}; found {size.larger_side}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """Holds the model of a draft; `kind` is one of those of its ecosystem."""

    resource: JobResource
    ecosystem: Ecosystem
    kind: ModelKind

    @property
    def ecosystem_unlike_air(self) -> str | None:
        """Return the name of the ecosystem, unless the AIR of the model tells it."""
        return None if find_ecosystem(self.resource.air) is self.ecosystem else self.ecosystem.name


def choose_model(resource: Resource, *, ecosystem: str | None = None) -> ChosenModel:
    """Return a model; raise `FieldError` for a resource that is not one of a known ecosystem.

    It is used as one of the `ecosystem`, a name, where one is given, whatever its AIR says.
    """
    chosen = _ecosystem_of(resource.air, ecosystem)
    return ChosenModel(resource=resource.for_job, ecosystem=chosen, kind=chosen.kind_of(resource))


def _ecosystem_of(model: Air, name: str | None) -> Ecosystem:
    ecosystem = find_ecosystem(model) if name is None else ECOSYSTEMS[name]
    if ecosystem is None:
        raise FieldError(MODEL, f"The ecosystem of '{model}' is not supported; known: {', '.join(ECOSYSTEMS)}.")
    if (model.stated_type or CHECKPOINT) not in ecosystem.model_types:
        raise FieldError(MODEL, f"'{model}' is not a model; expected a {CHECKPOINT}.")
    return ecosystem
