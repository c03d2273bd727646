"""A skeleton: the JSON graph of an ecosystem with named slots."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.graph import Link, Node, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """`slots` are inputs to fill (node id, input name); `sources` say where what others read comes from.

    Sources are `model`, `clip` and `vae`, the conditionings `positive` and, if there is one, `negative`, the `latent`
    that the sampler starts from, its `samples`, and the `image`.
    """

    name: str
    nodes: Mapping[str, Node]
    slots: Mapping[str, tuple[str, str]]
    sources: Mapping[str, Link]


def parse_skeleton(name: str, document: Any) -> Skeleton:
    """From `{graph, slots, sources}`; raise ValueError for a slot that names no input of the graph."""
    nodes = {node_id: _node(node) for node_id, node in document["graph"].items()}
    slots = {slot: (node_id, input_name) for slot, (node_id, input_name) in document["slots"].items()}
    for slot, (node_id, input_name) in slots.items():
        if node_id not in nodes or input_name not in nodes[node_id].inputs:
            raise ValueError(f"skeleton {name}: slot {slot} names no input of the graph")
    sources = {source: Link(node_id, output) for source, (node_id, output) in document["sources"].items()}
    return Skeleton(name=name, nodes=nodes, slots=slots, sources=sources)


def _node(document: Mapping[str, Any]) -> Node:
    inputs = {name: _value(value) for name, value in document["inputs"].items()}
    return Node(class_type=document["class_type"], inputs=inputs)


def _value(value: Json) -> Value:
    """ComfyUI takes every list of two for a link."""
    match value:
        case [str(node_id), int(output)]:
            return Link(node_id, output)
    return value
