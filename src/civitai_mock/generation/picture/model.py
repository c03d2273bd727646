"""The model that draws: what a job needs to know of it."""

from dataclasses import dataclass

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.ecosystem import CHECKPOINT, Ecosystem, ModelKind
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.network_choice import job_resource
from civitai_mock.generation.request_errors import fault

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
