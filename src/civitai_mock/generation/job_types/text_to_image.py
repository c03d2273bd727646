"""`textToImage`: pictures from a prompt text."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.json import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.ecosystem import CHECKPOINT, Ecosystem
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.image_params import CompleteParams, ImageJobControlNet, ImageJobParams
from civitai_mock.generation.job_request import JobRequest, Plan
from civitai_mock.generation.network import KINDS, Network, NetworkKind
from civitai_mock.generation.network_choice import choose_networks, job_resource, network_entries
from civitai_mock.generation.network_params import CompleteNetwork, NetworkMap
from civitai_mock.generation.picture import Picture
from civitai_mock.generation.request_errors import fault
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.wire import Reference, Text, WireModel
from civitai_mock.generation.work import GraphWork

MAX_IMAGES = 100
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGES)]


def _no_control_nets(control_nets: list[ImageJobControlNet]) -> list[ImageJobControlNet]:
    """A picture that silently leaves them out would be a wrong one."""
    if control_nets:
        raise ValueError("controlNets are not supported by this server; leave them out or give an empty list.")
    return control_nets


class CompleteTextToImage(WireModel):
    """What is stored of a request; AIRs are those of the resources, in the order of the job's resources."""

    base_model: str | None = None
    model: str
    params: CompleteParams
    additional_networks: dict[str, CompleteNetwork]
    quantity: int


class TextToImageJobRequest(JobRequest):
    """Pictures from a prompt text.

    Networks are applied in the order of their AIRs. One that was made for another ecosystem than the model's is
    accepted: ComfyUI leaves out what does not fit. All pictures are one batch, drawn from one seed; `batchSize` is
    checked and otherwise ignored.
    """

    wire_name: ClassVar[str] = "textToImage"
    template_name: ClassVar[str] = "TextToImageJobTemplate"
    job_type: ClassVar[str] = "TextToImageV2"

    model: Reference
    params: ImageJobParams
    base_model: Text | None = None
    additional_networks: NetworkMap | None = None
    control_nets: Annotated[list[ImageJobControlNet], AfterValidator(_no_control_nets)] | None = None
    quantity: Count | None = None
    batch_size: Count | None = None

    def references(self) -> Mapping[str, str]:
        entries = network_entries(self.additional_networks)
        return {"model": self.model, **{entry.path: entry.reference for entry in entries}}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        model = job_resource(resources[self.model])
        params = self.params.complete(_ecosystem_of(model.air).defaults, seed=seed)
        networks = choose_networks(network_entries(self.additional_networks), resources)
        quantity = self.quantity or 1
        complete = CompleteTextToImage(
            base_model=self.base_model,
            model=str(model.air),
            params=params,
            additional_networks={str(network.resource.air): network.params for network in networks},
            quantity=quantity,
        )
        return Plan(
            request=complete.model_dump(exclude_none=True),
            resources=(model, *(network.resource for network in networks)),
            cost=params.cost * quantity,
            images=quantity,
            seed=params.seed,
        )

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> GraphWork:
        request = CompleteTextToImage.model_validate(job.request)
        resources = {str(resource.air): resource for resource in job.resources}
        model = resources[request.model]
        ecosystem = find_ecosystem(model.air)
        if ecosystem is None:
            raise JobError(f"The ecosystem of '{model.air}' is not known any more.")
        picture = Picture(
            ecosystem=ecosystem,
            model_file=model.file_name,
            params=request.params,
            networks=[_network(resources[air], network) for air, network in request.additional_networks.items()],
            quantity=request.quantity,
            file_prefix=job.id,
        )
        return GraphWork(graph=picture.graph(skeletons[ecosystem.name]))

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Like the model, networks are named by their compressed AIRs."""
        request = CompleteTextToImage.model_validate(job.request).model_dump(exclude_none=True, exclude={"quantity"})
        names = {str(resource.air): resource.air.compressed for resource in job.resources}
        networks = {names[air]: network for air, network in request["additionalNetworks"].items()}
        return {**request, "model": names[request["model"]], "additionalNetworks": networks, "controlNets": []}


def _ecosystem_of(model: Air) -> Ecosystem:
    """Raise `InvalidRequestError` for a resource that is no model of an ecosystem we know."""
    ecosystem = find_ecosystem(model)
    if ecosystem is None:
        raise fault("model", f"The ecosystem of '{model}' is not supported; known: {', '.join(ECOSYSTEMS)}.")
    if (model.type or CHECKPOINT).lower() not in ecosystem.model_types:
        raise fault("model", f"'{model}' is no model; expected a {CHECKPOINT}.")
    return ecosystem


def _network(resource: JobResource, params: CompleteNetwork) -> tuple[NetworkKind, Network]:
    network = Network(
        file_name=resource.file_name,
        strength=params.strength,
        trigger_word=params.trigger_word,
        trained_words=resource.trained_words,
    )
    return KINDS[params.type.lower()], network
