"""Which resources a request puts on top of its model, and as what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.network import KIND_NAMES, NetworkKind, find_kind
from civitai_mock.generation.network_params import CompleteNetwork, ImageJobNetworkParams
from civitai_mock.generation.request_errors import fault


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEntry:
    """An entry of `additionalNetworks`: the AIR as it was sent, and where that stands in the request."""

    path: str
    reference: str
    params: ImageJobNetworkParams


def network_entries(networks: Mapping[str, ImageJobNetworkParams] | None) -> list[NetworkEntry]:
    """In both forms of the map."""
    return [_entry(f"additionalNetworks.{key}", key, params) for key, params in (networks or {}).items()]


def _entry(path: str, key: str, params: ImageJobNetworkParams) -> NetworkEntry:
    if params.id is None:
        return NetworkEntry(path=path, reference=key, params=params)
    return NetworkEntry(path=f"{path}.id", reference=params.id, params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenNetwork:
    resource: JobResource
    kind: NetworkKind
    params: CompleteNetwork


def choose_networks(entries: Iterable[NetworkEntry], resources: Mapping[str, Resource]) -> list[ChosenNetwork]:
    """In the order of their AIRs; raise `InvalidRequestError` for one that cannot be used."""
    chosen: dict[str, ChosenNetwork] = {}
    for entry in entries:
        network = _choose(entry, resources[entry.reference])
        key = network.resource.air.key
        if key in chosen:
            raise fault(entry.path, "This resource is named twice.")
        if network.kind.only_one and any(other.kind is network.kind for other in chosen.values()):
            raise fault(entry.path, f"There can be only one {network.kind.name}.")
        chosen[key] = network
    return [chosen[key] for key in sorted(chosen)]


def _choose(entry: NetworkEntry, resource: Resource) -> ChosenNetwork:
    kind = _kind(entry, resource)
    params = entry.params.complete(kind.name)
    found = job_resource(resource)
    if message := kind.fault(file_name=found.file_name, strength=params.strength):
        raise fault(entry.path, message)
    return ChosenNetwork(resource=found, kind=kind, params=params)


def _kind(entry: NetworkEntry, resource: Resource) -> NetworkKind:
    """The AIR says what a resource is; only if it does not is the request asked."""
    name = resource.air.stated_type or entry.params.type or ""
    kind = find_kind(name)
    if kind is None:
        known = ", ".join(KIND_NAMES)
        raise fault(entry.path, f"'{resource.air}' cannot be used as a network; usable: {known}.")
    return kind


def job_resource(resource: Resource) -> JobResource:
    """The path rule gives the file name of a resource that has none of its own."""
    return JobResource(
        air=resource.air,
        file_name=resource.file_name or resource.air.model_path,
        trained_words=resource.trained_words,
        hashes=resource.hashes,
    )
