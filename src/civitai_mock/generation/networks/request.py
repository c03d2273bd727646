"""Read `additionalNetworks`, complete them, and choose the resources that they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.networks.kinds import KIND_NAMES, MAX_STRENGTH, NetworkKind, find_kind
from civitai_mock.generation.wire import (
    Name,
    Number,
    PromptText,
    Reference,
    RequestModel,
    Text,
    WireModel,
    at_most,
    fault,
)

MAX_NETWORKS = 100  # ComfyUI follows a chain of nodes by calls within calls, which have an end


def _type(text: str) -> str:
    if find_kind(text) is None:
        raise ValueError(f"'{text}' is not a type of network; use one of {', '.join(KIND_NAMES)}.")
    return text


class CompleteNetwork(WireModel):
    """Is a network as it is stored; `type` is the name of a kind."""

    type: str
    strength: Number
    trigger_word: str | None = None


class ImageJobNetworkParams(RequestModel):
    """`id` is the AIR, where the key is only a name."""

    id: Reference | None = None
    type: Annotated[Name, AfterValidator(_type)] | None = None
    strength: Annotated[Number, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)] | None = None
    """1 if there is none."""
    trigger_word: PromptText | None = None

    def complete(self, kind_name: str) -> CompleteNetwork:
        strength = 1.0 if self.strength is None else self.strength
        word = self.trigger_word if self.trigger_word and self.trigger_word.strip() else None
        return CompleteNetwork.of_valid(type=kind_name, strength=strength, trigger_word=word)


def _with_airs(networks: dict[str, ImageJobNetworkParams]) -> dict[str, ImageJobNetworkParams]:
    """Check that every network has an AIR: in its `id`, or as its key."""
    faults = [
        InitErrorDetails(type=PydanticCustomError("air", "{message}", {"message": message}), loc=(key,), input=key)
        for key, network in networks.items()
        if network.id is None and (message := _key_fault(key))
    ]
    if faults:
        raise ValidationError.from_exception_data("additionalNetworks", faults)
    return networks


def _key_fault(key: str) -> str | None:
    try:
        parse_reference(key)
    except InvalidRequestError as error:
        return f"{error.message}; give the AIR in 'id' where the key is a name of yours."
    return None


NetworkMap = Annotated[
    dict[Text, ImageJobNetworkParams],
    Field(max_length=MAX_NETWORKS),
    at_most(MAX_NETWORKS, "networks"),
    AfterValidator(_with_airs),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEntry:
    """Is an entry of `additionalNetworks`: the AIR as it was sent, and where that stands in the request."""

    path: str
    reference: str
    params: ImageJobNetworkParams


def network_entries(networks: Mapping[str, ImageJobNetworkParams] | None) -> list[NetworkEntry]:
    """Return the entries of the map, whose keys are AIRs or names."""
    return [_entry(f"additionalNetworks.{key}", key, params) for key, params in networks.items()] if networks else []


def _entry(path: str, key: str, params: ImageJobNetworkParams) -> NetworkEntry:
    if params.id is None:
        return NetworkEntry(path=path, reference=key, params=params)
    return NetworkEntry(path=f"{path}.id", reference=params.id, params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenNetwork:
    """Is a network of a request with its resource."""

    resource: JobResource
    kind: NetworkKind
    params: CompleteNetwork


def choose_networks(entries: Iterable[NetworkEntry], resources: Mapping[str, Resource]) -> list[ChosenNetwork]:
    """Return the networks in the order of their AIRs; raise `InvalidRequestError` for one that cannot be used."""
    chosen: dict[str, ChosenNetwork] = {}
    for entry in entries:
        network = _choose(entry, resources[entry.reference])
        key = network.resource.air.key
        if key in chosen:
            raise fault(entry.path, "This resource is named twice.")
        if network.kind.is_single and any(other.kind is network.kind for other in chosen.values()):
            raise fault(entry.path, f"There can be only one {network.kind.name}.")
        chosen[key] = network
    return [chosen[key] for key in sorted(chosen)]


def _choose(entry: NetworkEntry, resource: Resource) -> ChosenNetwork:
    kind = _kind(entry, resource)
    params = entry.params.complete(kind.name)
    found = resource.for_job
    if message := kind.fault(file_name=found.file_name, strength=params.strength):
        raise fault(entry.path, message)
    return ChosenNetwork(resource=found, kind=kind, params=params)


def _kind(entry: NetworkEntry, resource: Resource) -> NetworkKind:
    """Return the kind that the AIR tells or, only if it does not, the request."""
    name = resource.air.stated_type or entry.params.type or ""
    kind = find_kind(name)
    if kind is None:
        known = ", ".join(KIND_NAMES)
        raise fault(entry.path, f"'{resource.air}' is not a network; expected one of {known}.")
    return kind
