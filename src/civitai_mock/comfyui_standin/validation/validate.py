"""Validation of a prompt's graph, in ComfyUI's order and with its errors."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.validation import input_checks
from civitai_mock.comfyui_standin.validation.definitions import (
    OUTPUT_FOLDERS,
    Definitions,
    InputDefinition,
    ListFolder,
    NodeDefinition,
)
from civitai_mock.comfyui_standin.validation.input_checks import Refusal, exception_name
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

NO_PROMPT = Refusal("no_prompt", "No prompt provided", "No prompt provided")
NO_OUTPUTS = Refusal("prompt_no_outputs", "Prompt has no outputs", "")
# What a graph of an unexpected shape can raise; ComfyUI catches everything here.
MALFORMED_GRAPH_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)

# A graph as it came, which may have any shape inside.
RawGraph: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRules:
    """Has what graphs are compared with: node definitions, and the files that exist now."""

    definitions: Definitions
    list_folder: ListFolder
    file_exists: Callable[[str], bool]
    accept_any_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidNode:
    """Is an entry of `node_errors`."""

    class_type: str
    refusals: list[Refusal]
    dependent_outputs: list[str] = field(default_factory=list)

    @property
    def wire(self) -> JsonObject:
        errors: list[Json] = [refusal.wire for refusal in self.refusals]
        return {"errors": errors, "dependent_outputs": [*self.dependent_outputs], "class_type": self.class_type}


@dataclass(slots=True, kw_only=True)
class ValidationResult:
    """Says which outputs can run, and what is wrong.

    There is a `refusal` only if nothing of the prompt can run; `invalid_nodes` may also belong to outputs that are
    left out.
    """

    refusal: Refusal | None = None
    outputs: list[str] = field(default_factory=list)
    invalid_nodes: dict[str, InvalidNode] = field(default_factory=dict)

    @property
    def node_errors(self) -> JsonObject:
        return {node_id: node.wire for node_id, node in self.invalid_nodes.items()}


def validate(graph: RawGraph, targets: Collection[str] | None, rules: ValidationRules) -> ValidationResult:
    """Validate a graph and convert its literals in place, as ComfyUI does.

    A graph that is not a graph raises one of `MALFORMED_GRAPH_ERRORS`, as in ComfyUI.
    """
    outputs = []
    for node_id in graph:
        if "class_type" not in graph[node_id]:
            message = "Cannot execute because a node is missing the class_type property."
            return ValidationResult(refusal=Refusal("invalid_prompt", message, f"Node ID '#{node_id}'"))
        class_type = graph[node_id]["class_type"]
        definition = rules.definitions.get(class_type)
        if definition is None:
            message = f"Cannot execute because node {class_type} does not exist."
            return ValidationResult(refusal=Refusal("invalid_prompt", message, f"Node ID '#{node_id}'"))
        if definition.is_output and (targets is None or node_id in targets):
            outputs.append(node_id)
    return _Validation(graph, rules).check_outputs(outputs) if outputs else ValidationResult(refusal=NO_OUTPUTS)


@dataclass(slots=True)
class _NodeFindings:
    """Says what is wrong with one node; one that only depends on an invalid node has no refusals of its own."""

    valid: bool = True
    refusals: list[Refusal] = field(default_factory=list)


class _Validation:
    """Checks each node of a graph once, from the outputs upwards."""

    def __init__(self, graph: RawGraph, rules: ValidationRules) -> None:
        self._graph = graph
        self._rules = rules
        self._findings: dict[str, _NodeFindings] = {}
        self._open: set[str] = set()

    def check_outputs(self, outputs: list[str]) -> ValidationResult:
        result = ValidationResult()
        failed: list[Refusal] = []
        for output in outputs:
            findings = self._check_output(output)
            if findings.valid:
                result.outputs.append(output)
            else:
                failed += findings.refusals
                self._add_invalid_nodes(result.invalid_nodes, output)
        if not result.outputs:
            details = "\n".join(f"{each.message}: {each.details}" for each in failed)
            message = "Prompt outputs failed validation"
            result.refusal = Refusal("prompt_outputs_failed_validation", message, details)
        return result

    def _check_output(self, output: str) -> _NodeFindings:
        try:
            return self._check_node(output)
        except MALFORMED_GRAPH_ERRORS as error:
            extra: JsonObject = {"exception_type": exception_name(error), "traceback": []}
            message = "Exception when validating node"
            return self._record(output, Refusal("exception_during_validation", message, str(error), extra))

    def _check_source(self, entry: InputDefinition, link: list[Any]) -> _NodeFindings:
        """Check the node behind a link; ComfyUI reports its exception with the input of the node that has the link."""
        try:
            return self._check_node(link[0])
        except MALFORMED_GRAPH_ERRORS as error:
            extra: JsonObject = {
                **input_checks.config_of(entry, self._rules.list_folder),
                "exception_message": str(error),
                "exception_type": exception_name(error),
                "traceback": [],
                "linked_node": link,
            }
            message = "Exception when validating inner node"
            return self._record(link[0], Refusal("exception_during_inner_validation", message, str(error), extra))

    def _record(self, node_id: str, refusal: Refusal) -> _NodeFindings:
        self._findings[node_id] = _NodeFindings(False, [refusal])
        return self._findings[node_id]

    def _add_invalid_nodes(self, invalid_nodes: dict[str, InvalidNode], output: str) -> None:
        """Add every invalid node found so far, whether this output needs it or not, as ComfyUI does."""
        for node_id, findings in self._findings.items():
            if findings.refusals:
                class_type = self._graph[node_id]["class_type"]
                node = invalid_nodes.setdefault(node_id, InvalidNode(class_type=class_type, refusals=findings.refusals))
                node.dependent_outputs.append(output)

    def _check_node(self, node_id: str) -> _NodeFindings:
        if node_id in self._findings:
            return self._findings[node_id]
        if node_id in self._open:  # a circle; ComfyUI runs out of stack here and reports no node
            return _NodeFindings(valid=False)
        self._open.add(node_id)
        inputs = self._graph[node_id]["inputs"]
        definition = self._rules.definitions[self._graph[node_id]["class_type"]]
        findings = _NodeFindings()
        for entry in definition.inputs.values():
            refusal = self._check_input(definition, entry, inputs, findings)
            findings.refusals += [refusal] if refusal else []
        findings.refusals += self._custom_checks(definition, inputs)
        findings.valid = findings.valid and not findings.refusals
        self._findings[node_id] = findings
        return findings

    def _check_input(
        self, definition: NodeDefinition, entry: InputDefinition, inputs: RawGraph, findings: _NodeFindings
    ) -> Refusal | None:
        if entry.name not in inputs:
            return input_checks.missing(entry) if entry.required else None
        if isinstance(inputs[entry.name], list):
            return self._check_link(entry, inputs[entry.name], findings)
        return self._check_literal(definition, entry, inputs)

    def _check_link(self, entry: InputDefinition, link: list[Any], findings: _NodeFindings) -> Refusal | None:
        list_folder = self._rules.list_folder
        if len(link) != 2:
            return input_checks.bad_link(entry, link, list_folder)
        source, slot = link
        received = self._rules.definitions[self._graph[source]["class_type"]].outputs[slot]
        refusal = input_checks.mismatch(entry, link, received, list_folder)
        if refusal is None and not self._check_source(entry, link).valid:
            findings.valid = False
        return refusal

    def _check_literal(self, definition: NodeDefinition, entry: InputDefinition, inputs: RawGraph) -> Refusal | None:
        list_folder = self._rules.list_folder
        try:
            value = inputs[entry.name] = input_checks.convert(entry, inputs[entry.name], list_folder)
        except input_checks.ConversionError as error:
            return error.refusal
        if (definition.name, entry.name) in input_checks.CUSTOM_CHECKS or self._takes_any_file(entry):
            return None
        refusal = input_checks.out_of_range(entry, value, list_folder)
        return refusal or input_checks.not_in_list(entry, value, list_folder)

    def _takes_any_file(self, entry: InputDefinition) -> bool:
        return self._rules.accept_any_model and entry.folder is not None and entry.folder not in OUTPUT_FOLDERS

    def _custom_checks(self, definition: NodeDefinition, inputs: Mapping[str, Json]) -> list[Refusal]:
        """Run a node's own checks, which ignore links and raise an exception for what is not a text."""
        checked = [
            entry for name, entry in definition.inputs.items() if (definition.name, name) in input_checks.CUSTOM_CHECKS
        ]
        refusals = []
        for entry in checked:
            if entry.name not in inputs:
                raise TypeError(input_checks.missing_argument(definition.name, entry))
            value = None if isinstance(inputs[entry.name], list) else inputs[entry.name]
            if not isinstance(value, str):
                raise AttributeError(f"'{type(value).__name__}' object has no attribute 'endswith'")
            if not self._rules.file_exists(value):
                refusals.append(input_checks.invalid_file(definition.name, entry, value))
        return refusals
