"""`textToImage` makes images from a prompt text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_nets.request import ControlNetList
from civitai_mock.generation.control_nets.resources import choose_control_nets, control_net_references, control_net_urls
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.request import JobRequest, Plan
from civitai_mock.generation.networks.request import NetworkEntry, NetworkMap, choose_networks, network_entries
from civitai_mock.generation.text_to_image.builder import text_to_image_job
from civitai_mock.generation.text_to_image.params import ImageJobParams
from civitai_mock.generation.text_to_image.resources import (
    check_extras,
    choose_extras,
    choose_model,
    extra_references,
    source_url,
)
from civitai_mock.generation.text_to_image.stored_request import CompleteTextToImage
from civitai_mock.generation.wire import Reference, Text
from civitai_mock.generation.work import GraphWork

MAX_IMAGES = 100
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGES)]


class TextToImageJobRequest(JobRequest):
    """The job makes images from a prompt text.

    Networks are applied in the order of their AIRs. One that was made for another ecosystem than the model's is
    accepted: ComfyUI leaves out what does not fit. All images are one batch, drawn from one seed; `batchSize` is
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

    @cached_property
    def networks(self) -> Sequence[NetworkEntry]:
        return network_entries(self.additional_networks)

    def references(self) -> Mapping[str, str]:
        found = {"model": self.model}
        if self.additional_networks:
            found |= {entry.path: entry.reference for entry in self.networks}
        if self.control_nets:
            found |= control_net_references(self.control_nets)
        return {**found, **extra_references(self.params)}

    def image_urls(self) -> Mapping[str, str]:
        return {**source_url(self.params), **control_net_urls(self.control_nets or ())}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        model = choose_model(resources[self.model])
        extras = choose_extras(self.params, resources, model.ecosystem)
        networks = choose_networks(self.networks, resources)
        control_nets = choose_control_nets(self.control_nets or (), resources, model.ecosystem)
        complete = CompleteTextToImage.of_valid(
            base_model=self.base_model,
            model=str(model.resource.air),
            model_kind=model.kind.name,
            params=self.params.complete(model.kind.defaults, seed=seed, airs=extras.airs),
            additional_networks={str(network.resource.air): network.params for network in networks},
            control_nets=control_nets.complete,
            quantity=self.quantity or 1,
        )
        check_extras(complete.params, quantity=complete.quantity)
        named = [network.resource for network in networks]
        return _plan(complete, [model.resource, *named, *control_nets.resources, *extras.resources])

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> GraphWork:
        return text_to_image_job(job).work(skeletons)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the request with the compressed AIRs of its resources."""
        names = {str(resource.air): resource.air.compressed for resource in job.resources}
        return CompleteTextToImage.model_validate(job.request).with_names(names)


def _plan(complete: CompleteTextToImage, resources: Iterable[JobResource]) -> Plan:
    """Plan a complete request, with each resource once: a refiner may be the model itself."""
    return Plan(
        request=complete.model_dump(exclude_none=True),
        resources=tuple({str(resource.air): resource for resource in resources}.values()),
        cost=complete.cost,
        images=complete.quantity,
        seed=complete.params.seed,
    )
