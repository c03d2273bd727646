"""Which resources the ControlNets of a request are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_nets.params import CompleteControlNet, ImageJobControlNet
from civitai_mock.generation.ecosystem import Ecosystem
from civitai_mock.generation.ecosystems import find_ecosystem
from civitai_mock.generation.network_choice import job_resource
from civitai_mock.generation.request_errors import fault

CONTROL_NET = "controlnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenControlNets:
    """`resources` are those that were asked for, each once."""

    complete: list[CompleteControlNet]
    resources: tuple[JobResource, ...]


def control_net_references(control_nets: Sequence[ImageJobControlNet]) -> Mapping[str, str]:
    """The AIRs as they were sent, by their path."""
    return {_path(index, "model"): net.model for index, net in enumerate(control_nets) if net.model is not None}


def control_net_urls(control_nets: Sequence[ImageJobControlNet]) -> Mapping[str, str]:
    """The pictures that have to be fetched, by their path."""
    return {
        _path(index, "imageUrl"): net.image_url for index, net in enumerate(control_nets) if net.image_url is not None
    }


def choose_control_nets(
    control_nets: Sequence[ImageJobControlNet], resources: Mapping[str, Resource], ecosystem: Ecosystem
) -> ChosenControlNets:
    """In the order of the request; raise `InvalidRequestError` for a resource that cannot be used."""
    used: dict[str, JobResource] = {}
    complete = []
    for index, net in enumerate(control_nets):
        model = None
        if net.model is not None:
            found = _usable(resources[net.model], ecosystem, path=_path(index, "model"))
            model = str(used.setdefault(found.air.key, found).air)
        complete.append(net.complete(model))
    return ChosenControlNets(complete=complete, resources=tuple(used.values()))


def _path(index: int, member: str) -> str:
    return f"controlNets[{index}].{member}"


def _usable(resource: Resource, ecosystem: Ecosystem, *, path: str) -> JobResource:
    """ComfyUI would fail on one of another ecosystem, but only while it draws."""
    air = resource.air
    if (air.stated_type or CONTROL_NET) != CONTROL_NET:
        raise fault(path, f"'{air}' is no ControlNet; expected a {CONTROL_NET}.")
    made_for = find_ecosystem(air)
    if made_for is not None and made_for is not ecosystem:
        raise fault(path, f"'{air}' was made for {made_for.name}; the model is of {ecosystem.name}.")
    return job_resource(resource)
