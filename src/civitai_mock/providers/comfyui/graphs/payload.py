"""Build the body of POST /prompt from a graph, and read from a graph what the provider must know."""

from collections.abc import Mapping

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.generation.comfyui_facts import MODEL_INPUTS, STREAMING_CLASS
from civitai_mock.ports import Submission

PREFIX_INPUT = "filename_prefix"
JOB_ID_KEY = "civitai_mock_job_id"


def normalized_graph(graph: ReadOnlyJson) -> JsonObject:
    """Give every node its inputs, as a node without them can end ComfyUI's worker; raise `JobError` for a bad graph."""
    return {node_id: _normalized_node(node_id, node) for node_id, node in graph.items()}


def with_fresh_prefix(graph: ReadOnlyJson, suffix: str) -> JsonObject:
    """Give the graph other output names, so that a cached image whose file is gone is written again."""
    return {node_id: _with_fresh_prefix(as_object(node), suffix) for node_id, node in graph.items()}


def prompt_payload(submission: Submission, graph: ReadOnlyJson, *, client_id: str) -> JsonObject:
    """Return the body of POST /prompt; the ids of job and trace go with it into the server's queue and history."""
    return {
        "prompt": dict(graph),
        "prompt_id": submission.prompt_id,
        "client_id": client_id,
        "extra_data": {JOB_ID_KEY: submission.job_id, "trace_id": submission.trace_id},
    }


def streaming_nodes(graph: ReadOnlyJson) -> frozenset[str]:
    """Return the nodes whose images come over the socket only."""
    return frozenset(node_id for node_id, node in graph.items() if as_object(node).get("class_type") == STREAMING_CLASS)


def base_models(graph: ReadOnlyJson) -> frozenset[str]:
    """Return the large files that a server has in memory after this graph."""
    inputs = [as_object(as_object(node).get("inputs")) for node in graph.values()]
    return frozenset(name for given in inputs for field in MODEL_INPUTS if (name := as_text(given.get(field))))


def _normalized_node(node_id: str, node: Json) -> JsonObject:
    if not isinstance(node, dict) or not as_text(node.get("class_type")):
        raise JobError(f"Node '{node_id}' has no class_type: the graph is not in API format.", node_id=node_id)
    inputs = node.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise JobError(f"The inputs of node '{node_id}' are not an object.", node_id=node_id)
    return {**node, "inputs": inputs or {}}


def _with_fresh_prefix(node: Mapping[str, Json], suffix: str) -> JsonObject:
    inputs = as_object(node.get("inputs"))
    prefix = as_text(inputs.get(PREFIX_INPUT))
    return {**node, "inputs": {**inputs, PREFIX_INPUT: f"{prefix}_{suffix}"}} if prefix else dict(node)
