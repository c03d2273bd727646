"""Make a graph ready for POST /prompt, with the names that the server gave to the images it reads."""

from collections.abc import Collection, Iterator, Mapping

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.ports import InputFile, Submission
from civitai_mock.providers.comfyui.protocol.prompt_errors import NOT_IN_LIST, complaints_of

BASE_MODEL_INPUTS = ("ckpt_name", "unet_name")
PREFIX_INPUT = "filename_prefix"
JOB_ID = "civitai_mock_job_id"


def checked(graph: ReadOnlyJson) -> JsonObject:
    """Every node with its inputs: one without them can end a server's worker. Raise `JobError` for what is no graph."""
    return {node_id: _checked_node(node_id, node) for node_id, node in graph.items()}


def with_fresh_prefix(graph: ReadOnlyJson, suffix: str) -> JsonObject:
    """The same graph under other file names, so that a cached image whose file is gone is written again."""
    return {node_id: _with_fresh_prefix(as_object(node), suffix) for node_id, node in graph.items()}


def payload_of(submission: Submission, graph: ReadOnlyJson, *, client_id: str) -> JsonObject:
    """The ids of job and trace go with the prompt into the server's queue and history."""
    return {
        "prompt": dict(graph),
        "prompt_id": submission.prompt_id,
        "client_id": client_id,
        "extra_data": {JOB_ID: submission.job_id, "trace_id": submission.trace_id},
    }


def streaming_nodes(graph: ReadOnlyJson) -> frozenset[str]:
    """The nodes whose images come over the socket only."""
    return frozenset(node_id for node_id, node in graph.items() if as_object(node).get("class_type") == STREAMING_CLASS)


def base_models(graph: ReadOnlyJson) -> frozenset[str]:
    """The large files that a server has in memory after this graph."""
    inputs = [as_object(as_object(node).get("inputs")) for node in graph.values()]
    return frozenset(name for given in inputs for field in BASE_MODEL_INPUTS if (name := as_text(given.get(field))))


def _checked_node(node_id: str, node: Json) -> JsonObject:
    if not isinstance(node, dict) or not as_text(node.get("class_type")):
        raise JobError(f"Node '{node_id}' has no class_type: the graph is not in API format.", node_id=node_id)
    inputs = node.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise JobError(f"The inputs of node '{node_id}' are no object.", node_id=node_id)
    return {**node, "inputs": inputs or {}}


def _with_fresh_prefix(node: Mapping[str, Json], suffix: str) -> JsonObject:
    inputs = as_object(node.get("inputs"))
    prefix = as_text(inputs.get(PREFIX_INPUT))
    return {**node, "inputs": {**inputs, PREFIX_INPUT: f"{prefix}_{suffix}"}} if prefix else dict(node)


FOLDER = "civitai-mock"
SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
}
ABSENT = frozenset({"custom_validation_failed", NOT_IN_LIST})


def upload_name(file: InputFile) -> str:
    """The same for the same bytes, so that a server keeps them once; it tells types by suffixes."""
    return file.digest + SUFFIXES.get(file.content_type, "")


def read_by(graph: ReadOnlyJson, name: str) -> bool:
    return any(value == name for inputs in _inputs(graph) for value in inputs.values())


def with_names(graph: ReadOnlyJson, names: Mapping[str, str]) -> JsonObject:
    return {node_id: _with_image_name(as_object(node), names) for node_id, node in graph.items()}


def are_gone(refusal: JobError, names: Collection[str]) -> bool:
    """Whether a server misses what it took a moment ago: somebody has emptied its folder."""
    return any(
        complaint.get("type") in ABSENT and any(name in str(complaint.get("details")) for name in names)
        for complaint in complaints_of(refusal)
    )


def _inputs(graph: ReadOnlyJson) -> Iterator[JsonObject]:
    return (as_object(as_object(node).get("inputs")) for node in graph.values())


def _with_image_name(node: JsonObject, names: Mapping[str, str]) -> JsonObject:
    inputs: JsonObject = {key: _name(value, names) for key, value in as_object(node.get("inputs")).items()}
    return {**node, "inputs": inputs}


def _name(value: Json, names: Mapping[str, str]) -> Json:
    return names.get(value, value) if isinstance(value, str) else value
