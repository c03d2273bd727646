"""Networks in drafts and specs, and the choice of their resources."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.networks.kinds import KIND_NAMES, NetworkKind, find_kind

MAX_NETWORKS = 100  # ComfyUI follows a chain of nodes by calls within calls, which have an end


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """Is a network as it is stored; `type` is the name of a kind."""

    type: str
    strength: float
    trigger_word: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDraft:
    """Is a network of a draft; its field is `networks.<name>`, where the name is the AIR unless it is given.

    `type` is that of an AIR which does not tell its own.
    """

    air: str
    name: str | None = None
    type: str | None = None
    strength: float | None = None
    trigger_word: str | None = None

    @property
    def field(self) -> str:
        return f"networks.{self.name or self.air}"

    def complete(self, kind_name: str) -> NetworkSpec:
        strength = 1 if self.strength is None else self.strength
        word = self.trigger_word if self.trigger_word and self.trigger_word.strip() else None
        return NetworkSpec(type=kind_name, strength=strength, trigger_word=word)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenNetwork:
    """Is a network of a draft with its resource."""

    resource: JobResource
    kind: NetworkKind
    spec: NetworkSpec


def choose_networks(drafts: Sequence[NetworkDraft], resources: Mapping[str, Resource]) -> list[ChosenNetwork]:
    """Return the networks in the order of their AIRs; raise `FieldError` for one that cannot be used."""
    if not drafts:
        return []
    chosen: dict[str, ChosenNetwork] = {}
    for draft in drafts:
        network = _choose(draft, resources[draft.air])
        key = network.resource.air.key
        if key in chosen:
            raise FieldError(draft.field, "This resource is named twice.")
        if network.kind.is_single and any(other.kind is network.kind for other in chosen.values()):
            raise FieldError(draft.field, f"There can be only one {network.kind.name}.")
        chosen[key] = network
    return [chosen[key] for key in sorted(chosen)]


def _choose(draft: NetworkDraft, resource: Resource) -> ChosenNetwork:
    kind = _kind(draft, resource)
    spec = draft.complete(kind.name)
    found = resource.for_job
    if message := kind.fault(file_name=found.file_name, strength=spec.strength):
        raise FieldError(draft.field, message)
    return ChosenNetwork(resource=found, kind=kind, spec=spec)


def _kind(draft: NetworkDraft, resource: Resource) -> NetworkKind:
    """Return the kind that the AIR tells or, only if it does not, the draft."""
    name = resource.air.stated_type or draft.type or ""
    kind = find_kind(name)
    if kind is None:
        known = ", ".join(KIND_NAMES)
        raise FieldError(draft.field, f"'{resource.air}' is not a network; expected one of {known}.")
    return kind
