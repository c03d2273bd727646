"""Check graphs as any ComfyUI would: refuse those without outputs, with loose ends or with cycles."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from graphlib import CycleError, TopologicalSorter
from typing import Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.comfyui_facts import LARGEST_BATCH, LARGEST_SIDE, MOST_PIXELS_IN_MEMORY
from civitai_mock.generation.graph_reader.image_batches.batch import Load, nothing_known
from civitai_mock.generation.graph_reader.nodes import NO_INPUTS, Nodes
from civitai_mock.generation.graph_reader.output_images import OutputImages, read_output_images
from civitai_mock.generation.graph_reader.outputs import OUTPUTS

VALIDATION_FAILED = "prompt_outputs_failed_validation"
MAX_ERRORS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeError:
    """Says what is wrong with one node, in ComfyUI's words."""

    node_id: str
    node_type: str
    type: str
    message: str
    details: str


class GraphRefusedError(JobError):
    """Says that a graph was refused, which ComfyUI would refuse, too."""

    code = "graph_refused"

    def __init__(self, message: str, *, error_type: str, errors: Sequence[NodeError] = ()) -> None:
        super().__init__(message, error_type=error_type, node_errors=[asdict(error) for error in errors])

    @classmethod
    def because_of(cls, errors: Sequence[NodeError]) -> Self:
        """Name in the message what is wrong with each node."""
        reasons = "; ".join(f"node {one.node_id} ({one.node_type}): {one.message}: {one.details}" for one in errors)
        return cls(f"The graph was refused: {reasons}", error_type=VALIDATION_FAILED, errors=errors)


class GraphFailedError(JobError):
    """Says that a file could not be made, because the graph asks for something impossible."""

    code = "graph_failed"


class PromptCancelledError(JobError):
    """Says that a prompt was cancelled before its end."""

    code = "cancelled"


def check_graph(graph: ReadOnlyJson, *, load: Load = nothing_known) -> Sequence[OutputImages]:
    """Check a graph, and return what its output nodes make from the files that `load` knows.

    Raise `GraphRefusedError` for a graph that cannot run. Nodes that no output needs may have loose ends, as in
    ComfyUI.
    """
    nodes = Nodes(graph)
    _check_classes(nodes)
    needed = _needed_nodes(nodes)
    _raise_if_any([error for node_id in needed for error in _loose_ends(nodes, node_id)])
    _check_cycles(nodes, needed)
    outputs = read_output_images(nodes, load=load)
    _raise_if_any([error for output in outputs for error in _exceeded_limits(nodes, output)])
    return outputs


def _raise_if_any(errors: Sequence[NodeError]) -> None:
    if errors:
        raise GraphRefusedError.because_of(errors[:MAX_ERRORS])


def _check_classes(nodes: Nodes) -> None:
    for node_id in nodes:
        if not nodes.class_type(node_id):
            message = f"Cannot execute because a node is missing the class_type property: node {node_id}"
            raise GraphRefusedError(message, error_type="invalid_prompt")


def _needed_nodes(nodes: Nodes) -> Collection[str]:
    """Return the output nodes and all nodes above them."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUTS]
    if not outputs:
        raise GraphRefusedError("Prompt has no outputs", error_type="prompt_no_outputs")
    found = (node_id for output in outputs for node_id in nodes.upstream(output))
    return dict.fromkeys(node_id for node_id in found if node_id in nodes)


def _loose_ends(nodes: Nodes, node_id: str) -> Iterator[NodeError]:
    inputs = nodes.inputs(node_id)
    if inputs is NO_INPUTS:
        yield _inner_error(nodes, node_id, "inputs")
    output = OUTPUTS.get(nodes.class_type(node_id))
    if output and inputs is not NO_INPUTS and output.input not in inputs:
        yield _error(nodes, node_id, "required_input_missing", "Required input is missing", output.input)
    for name, value in inputs.items():
        if isinstance(value, list) and len(value) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            yield _error(nodes, node_id, "bad_linked_input", message, name)
        elif isinstance(value, list) and value[0] not in nodes:
            yield _inner_error(nodes, node_id, value[0])


def _check_cycles(nodes: Nodes, needed: Collection[str]) -> None:
    try:
        TopologicalSorter({node_id: nodes.sources(node_id) for node_id in needed}).prepare()
    except CycleError as error:
        message = "The graph was refused: its nodes wait for each other in a circle"
        raise GraphRefusedError(message, error_type=VALIDATION_FAILED) from error


def _exceeded_limits(nodes: Nodes, output: OutputImages) -> Iterator[NodeError]:
    batch = output.batch
    sides = (("width", batch.width, LARGEST_SIDE), ("height", batch.height, LARGEST_SIDE))
    if not output.is_drawn_image and batch.width * batch.height * batch.count > MOST_PIXELS_IN_MEMORY:
        details = f"{batch.count} images of {batch.width}x{batch.height}"
        yield _error(nodes, output.node_id, "out_of_memory", "Allocation on device", details)
    for name, value, most in (*sides, ("batch_size", batch.count, LARGEST_BATCH)):
        if value > most:
            message = f"Value {value} bigger than max of {most}"
            yield _error(nodes, output.node_id, "value_bigger_than_max", message, name)


def _inner_error(nodes: Nodes, node_id: str, key: object) -> NodeError:
    return _error(
        nodes, node_id, "exception_during_inner_validation", "Exception when validating inner node", repr(key)
    )


def _error(nodes: Nodes, node_id: str, kind: str, message: str, details: str) -> NodeError:
    return NodeError(node_id=node_id, node_type=nodes.class_type(node_id), type=kind, message=message, details=details)
