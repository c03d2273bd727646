"""`textToImage`: pictures from a prompt text."""

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.json import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_net_choice import choose_control_nets, control_net_references, control_net_urls
from civitai_mock.generation.control_net_params import CompleteControlNet, ControlNetList
from civitai_mock.generation.ecosystem import CHECKPOINT, Ecosystem
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.image_extras import shown_extras
from civitai_mock.generation.image_extras_choice import check_extras, choose_extras, extra_references, source_url
from civitai_mock.generation.image_params import CompleteParams, ImageJobParams
from civitai_mock.generation.job_control_nets import JobControlNets
from civitai_mock.generation.job_extras import JobExtras
from civitai_mock.generation.job_request import JobRequest, Plan
from civitai_mock.generation.network import KINDS, Network, NetworkKind
from civitai_mock.generation.network_choice import choose_networks, job_resource, network_entries
from civitai_mock.generation.network_params import CompleteNetwork, NetworkMap
from civitai_mock.generation.picture import Picture
from civitai_mock.generation.prompt_tags import networks_in
from civitai_mock.generation.request_errors import fault
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.wire import Reference, Text, WireModel
from civitai_mock.generation.work import GraphWork

MAX_IMAGES = 100
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGES)]


class CompleteTextToImage(WireModel):
    """What is stored of a request; AIRs are those of the resources, in the order of the job's resources.

    `model_kind` is that of the model's ecosystem, decided once: a restart builds the same graph.
    """

    base_model: str | None = None
    model: str
    model_kind: str | None = None
    params: CompleteParams
    additional_networks: dict[str, CompleteNetwork]
    control_nets: list[CompleteControlNet] = Field(default_factory=list)
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
    runs_graphs: ClassVar[bool] = True

    model: Reference
    params: ImageJobParams
    base_model: Text | None = None
    additional_networks: NetworkMap | None = None
    control_nets: ControlNetList | None = None
    quantity: Count | None = None
    batch_size: Count | None = None

    def references(self) -> Mapping[str, str]:
        entries = network_entries(self.additional_networks)
        networks = {entry.path: entry.reference for entry in entries}
        control_nets = control_net_references(self.control_nets or ())
        return {"model": self.model, **networks, **control_nets, **extra_references(self.params)}

    def picture_urls(self) -> Mapping[str, str]:
        return {**source_url(self.params), **control_net_urls(self.control_nets or ())}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        model = job_resource(resources[self.model])
        ecosystem = _ecosystem_of(model.air)
        kind = ecosystem.kind_of(resources[self.model])
        extras = choose_extras(self.params, resources, ecosystem)
        params = self.params.complete(kind.defaults, seed=seed, airs=extras.airs)
        networks = choose_networks(network_entries(self.additional_networks), resources)
        control_nets = choose_control_nets(self.control_nets or (), resources, ecosystem)
        quantity = self.quantity or 1
        check_extras(params, quantity=quantity)
        complete = CompleteTextToImage(
            base_model=self.base_model,
            model=str(model.air),
            model_kind=kind.name,
            params=params,
            additional_networks={str(network.resource.air): network.params for network in networks},
            control_nets=control_nets.complete,
            quantity=quantity,
        )
        return Plan(
            request=complete.model_dump(exclude_none=True),
            resources=_each_once(
                [model, *(network.resource for network in networks), *control_nets.resources, *extras.resources]
            ),
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
        files = {air: resource.file_name for air, resource in resources.items()}
        extras = JobExtras(params=request.params, job_id=job.id, quantity=request.quantity, files=files)
        control_nets = JobControlNets(
            control_nets=request.control_nets,
            job_id=job.id,
            ecosystem=ecosystem.name,
            files=files,
            shorter_side=min(request.params.width, request.params.height),
        )
        networks = [_network(resources[air], network) for air, network in request.additional_networks.items()]
        picture = Picture(
            ecosystem=ecosystem,
            model_file=model.file_name,
            params=request.params,
            networks=[*networks, *networks_in(request.params.prompt or "")],
            quantity=request.quantity,
            file_prefix=job.id,
            features=extras.features,
            variants=control_nets.variants,
        )
        graph, *alternatives = picture.graphs(
            [skeletons[name] for name in ecosystem.kind(request.model_kind).skeletons]
        )
        return GraphWork(
            graph=graph,
            alternatives=tuple(alternatives),
            images=(*extras.images, *control_nets.images),
            roles=(*ecosystem.roles, *control_nets.roles),
            words_name_embeddings=True,
        )

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Like the model, all other resources are named by their compressed AIRs."""
        request = CompleteTextToImage.model_validate(job.request).model_dump(
            exclude_none=True, exclude={"quantity", "model_kind"}
        )
        names = {str(resource.air): resource.air.compressed for resource in job.resources}
        networks = {names[air]: network for air, network in request["additionalNetworks"].items()}
        control_nets = [
            {**net, "model": names[net["model"]]} if "model" in net else net for net in request["controlNets"]
        ]
        shown = {"model": names[request["model"]], "additionalNetworks": networks, "controlNets": control_nets}
        params = {**request["params"], **shown_extras(request["params"], names)}
        return {**request, **shown, "params": params}


def _each_once(resources: Iterable[JobResource]) -> tuple[JobResource, ...]:
    """A refiner may be the model itself."""
    return tuple({str(resource.air): resource for resource in resources}.values())


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
