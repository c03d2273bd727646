"""What validation came to."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.validation import input_checks
from civitai_mock.comfyui_standin.validation.definitions import (
    OUTPUT_FOLDERS,
    Definitions,
    InputDefinition,
    Listing,
    NodeDefinition,
)
from civitai_mock.comfyui_standin.validation.input_checks import (
    NO_OUTPUTS,
    Refusal,
    exception_name,
    no_class_type,
    outputs_failed,
    unknown_class,
)
from civitai_mock.domain.json_types import Json, JsonObject


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


# What a graph of an unexpected shape can raise; ComfyUI catches everything here.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)

# A graph as it came, which may have any shape inside.
RawGraph: TypeAlias = Any


def validate(graph: RawGraph, targets: Collection[str] | None, rules: Rules) -> Verdict:
    """Converts literals in place, as ComfyUI does; a graph that is no graph raises what ComfyUI trips over as well."""
    outputs = []
    for node_id in graph:
        if "class_type" not in graph[node_id]:
            return Verdict(refusal=no_class_type(node_id))
        class_type = graph[node_id]["class_type"]
        definition = rules.definitions.get(class_type)
        if definition is None:
            return Verdict(refusal=unknown_class(node_id, class_type))
        if definition.is_output and (targets is None or node_id in targets):
            outputs.append(node_id)
    return _Validation(graph, rules).of_outputs(outputs) if outputs else Verdict(refusal=NO_OUTPUTS)


class _Validation:
    def __init__(self, graph: RawGraph, rules: Rules) -> None:
        self._graph = graph
        self._rules = rules
        self._findings: dict[str, Findings] = {}
        self._open: set[str] = set()

    def of_outputs(self, outputs: list[str]) -> Verdict:
        verdict = Verdict()
        failed: list[Refusal] = []
        for output in outputs:
            findings = self._of_output(output)
            if findings.valid:
                verdict.outputs.append(output)
            else:
                failed += findings.refusals
                self._blame(verdict.bad_nodes, output)
        if not verdict.outputs:
            verdict.refusal = outputs_failed("\n".join(f"{each.message}: {each.details}" for each in failed))
        return verdict

    def _of_output(self, output: str) -> Findings:
        try:
            return self._of_node(output)
        except MALFORMED as error:
            extra: JsonObject = {"exception_type": exception_name(error), "traceback": []}
            message = "Exception when validating node"
            return self._book(output, Refusal("exception_during_validation", message, str(error), extra))

    def _of_source(self, entry: InputDefinition, link: list[Any]) -> Findings:
        """ComfyUI books what breaks inside a node on that node, with the input of the one that asked."""
        try:
            return self._of_node(link[0])
        except MALFORMED as error:
            extra: JsonObject = {
                **input_checks.config_of(entry, self._rules.listing),
                "exception_message": str(error),
                "exception_type": exception_name(error),
                "traceback": [],
                "linked_node": link,
            }
            message = "Exception when validating inner node"
            return self._book(link[0], Refusal("exception_during_inner_validation", message, str(error), extra))

    def _book(self, node_id: str, refusal: Refusal) -> Findings:
        self._findings[node_id] = Findings(False, [refusal])
        return self._findings[node_id]

    def _blame(self, bad_nodes: dict[str, BadNode], output: str) -> None:
        """Every bad node found so far, whether this output needs it or not, as ComfyUI does."""
        for node_id, findings in self._findings.items():
            if findings.refusals:
                class_type = self._graph[node_id]["class_type"]
                node = bad_nodes.setdefault(node_id, BadNode(class_type=class_type, refusals=findings.refusals))
                node.dependent_outputs.append(output)

    def _of_node(self, node_id: str) -> Findings:
        if node_id in self._findings:
            return self._findings[node_id]
        if node_id in self._open:  # a circle; ComfyUI runs out of stack here and blames nobody
            return Findings(valid=False)
        self._open.add(node_id)
        inputs = self._graph[node_id]["inputs"]
        definition = self._rules.definitions[self._graph[node_id]["class_type"]]
        findings = Findings()
        for entry in definition.inputs.values():
            refusal = self._check(definition, entry, inputs, findings)
            findings.refusals += [refusal] if refusal else []
        findings.refusals += self._self_checks(definition, inputs)
        findings.valid = findings.valid and not findings.refusals
        self._findings[node_id] = findings
        return findings

    def _check(
        self, definition: NodeDefinition, entry: InputDefinition, inputs: RawGraph, findings: Findings
    ) -> Refusal | None:
        if entry.name not in inputs:
            return input_checks.missing(entry) if entry.required else None
        if isinstance(inputs[entry.name], list):
            return self._check_link(entry, inputs[entry.name], findings)
        return self._check_literal(definition, entry, inputs)

    def _check_link(self, entry: InputDefinition, link: list[Any], findings: Findings) -> Refusal | None:
        listing = self._rules.listing
        if len(link) != 2:
            return input_checks.bad_link(entry, link, listing)
        source, slot = link
        received = self._rules.definitions[self._graph[source]["class_type"]].outputs[slot]
        refusal = input_checks.mismatch(entry, link, received, listing)
        if refusal is None and not self._of_source(entry, link).valid:
            findings.valid = False
        return refusal

    def _check_literal(self, definition: NodeDefinition, entry: InputDefinition, inputs: RawGraph) -> Refusal | None:
        listing = self._rules.listing
        try:
            value = inputs[entry.name] = input_checks.convert(entry, inputs[entry.name], listing)
        except input_checks.ConversionError as error:
            return error.refusal
        if (definition.name, entry.name) in input_checks.SELF_CHECKED or self._takes_any(entry):
            return None
        return input_checks.out_of_range(entry, value, listing) or input_checks.not_in_list(entry, value, listing)

    def _takes_any(self, entry: InputDefinition) -> bool:
        return self._rules.accept_any_model and entry.folder is not None and entry.folder not in OUTPUT_FOLDERS

    def _self_checks(self, definition: NodeDefinition, inputs: Mapping[str, Json]) -> list[Refusal]:
        """Such a check sees nothing of links, and trips over all that is no text."""
        checked = [
            entry for name, entry in definition.inputs.items() if (definition.name, name) in input_checks.SELF_CHECKED
        ]
        refusals = []
        for entry in checked:
            if entry.name not in inputs:
                raise TypeError(input_checks.unchecked(definition.name, entry))
            value = None if isinstance(inputs[entry.name], list) else inputs[entry.name]
            if not isinstance(value, str):
                raise AttributeError(f"'{type(value).__name__}' object has no attribute 'endswith'")
            if not self._rules.file_exists(value):
                refusals.append(input_checks.invalid_file(definition.name, entry, value))
        return refusals
