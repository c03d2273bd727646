"""The pictures that a graph reads, under the names that a server gave them."""

from collections.abc import Collection, Iterator, Mapping

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.ports import InputFile
from civitai_mock.providers.comfyui.protocol.refusal import NOT_IN_LIST, complaints_of
from civitai_mock.providers.comfyui.protocol.shapes import as_object

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
    return {node_id: _renamed(as_object(node), names) for node_id, node in graph.items()}


def are_gone(refusal: JobError, names: Collection[str]) -> bool:
    """Whether a server misses what it took a moment ago: somebody has emptied its folder."""
    return any(
        complaint.get("type") in ABSENT and any(name in str(complaint.get("details")) for name in names)
        for complaint in complaints_of(refusal)
    )


def _inputs(graph: ReadOnlyJson) -> Iterator[JsonObject]:
    return (as_object(as_object(node).get("inputs")) for node in graph.values())


def _renamed(node: JsonObject, names: Mapping[str, str]) -> JsonObject:
    inputs: JsonObject = {key: _name(value, names) for key, value in as_object(node.get("inputs")).items()}
    return {**node, "inputs": inputs}


def _name(value: Json, names: Mapping[str, str]) -> Json:
    return names.get(value, value) if isinstance(value, str) else value
