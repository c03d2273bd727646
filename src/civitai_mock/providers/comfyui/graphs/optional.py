"""Nodes that a graph can do without: those of the networks that a prompt text asks for."""

from collections.abc import Collection
from typing import TypeAlias

from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.protocol.shapes import as_list, as_object, as_text

Output: TypeAlias = tuple[str, int]


def without_nodes(graph: ReadOnlyJson, left_out: Collection[str]) -> JsonObject:
    """Have all that read an output of a node in `left_out` read its link in that place instead."""
    instead = {
        (node_id, place): link
        for node_id in left_out
        for place, link in enumerate(filter(_output_of, as_object(as_object(graph[node_id]).get("inputs")).values()))
    }
    return {node_id: _relinked(as_object(node), instead) for node_id, node in graph.items() if node_id not in left_out}


def _relinked(node: JsonObject, instead: dict[Output, Json]) -> JsonObject:
    inputs = {name: _source(value, instead) for name, value in as_object(node.get("inputs")).items()}
    return {**node, "inputs": inputs}


def _source(value: Json, instead: dict[Output, Json]) -> Json:
    """Past any number of nodes that are left out one behind the other."""
    while (output := _output_of(value)) is not None and output in instead:
        value = instead[output]
    return value


def _output_of(value: Json) -> Output | None:
    """What a link leads to; None for any other value."""
    parts = as_list(value)
    if len(parts) == 2 and isinstance(parts[0], str) and isinstance(parts[1], int):
        return as_text(parts[0]), parts[1]
    return None
