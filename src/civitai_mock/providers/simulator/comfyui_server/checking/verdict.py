"""What validation came to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.simulator.comfyui_server.checking.definitions import Definitions, Listing
from civitai_mock.providers.simulator.comfyui_server.checking.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What graphs are held against: node definitions, and the files that are there now."""

    definitions: Definitions
    listing: Listing
    file_exists: Callable[[str], bool]
    accept_any_model: bool = False


@dataclass(slots=True)
class Findings:
    """About one node; one that only hangs on a bad node has no refusals of its own."""

    valid: bool = True
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNode:
    class_type: str
    refusals: list[Refusal]
    dependent_outputs: list[str] = field(default_factory=list)

    @property
    def wire(self) -> JsonObject:
        errors: list[Json] = [refusal.wire for refusal in self.refusals]
        return {"errors": errors, "dependent_outputs": [*self.dependent_outputs], "class_type": self.class_type}


@dataclass(slots=True, kw_only=True)
class Verdict:
    """`refusal` only if nothing of the prompt can run; `bad_nodes` may also belong to outputs that are left out."""

    refusal: Refusal | None = None
    outputs: list[str] = field(default_factory=list)
    bad_nodes: dict[str, BadNode] = field(default_factory=dict)

    @property
    def node_errors(self) -> JsonObject:
        return {node_id: node.wire for node_id, node in self.bad_nodes.items()}
