"""Graphs are complete ComfyUI node maps in API format; skeletons are those of ecosystems, with named slots."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson

Graph: TypeAlias = dict[str, JsonObject]

# What orjson writes in another way than json: numbers below 0.0001, and NaN, which becomes null. To search for what is
# always the same in them takes a tenth of the time of one pattern for all.
SMALL_NUMBER, SMALL_EXPONENT = b"0.0000", re.compile(rb"e-(?<=[0-9]e-)[0-9]")

MOST_OUTPUTS = 2**16


def graph_text(graph: ReadOnlyJson) -> str:
    """Return the text that events have of a graph, as json writes it; orjson takes a tenth of the time for most."""
    try:
        text = orjson.dumps(graph)
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        return _json_text(graph)
    may_differ = SMALL_NUMBER in text or b"null" in text or SMALL_EXPONENT.search(text)
    return _json_text(graph) if may_differ else text.decode()


def _json_text(graph: ReadOnlyJson) -> str:
    return json.dumps(graph, separators=(",", ":"), ensure_ascii=False)


class Link(NamedTuple):
    """A link leads to an output of a node; on the wire it is a list of two, `[node id, output]`."""

    node_id: str
    output: int

    @classmethod
    def of(cls, value: Json) -> "Link | None":
        """Return the link that the value of an input is, or None; an output that no node has counts as the first."""
        if not isinstance(value, list) or len(value) != 2:
            return None
        node_id, output = value
        if not isinstance(node_id, str):
            return None
        if isinstance(output, int | float) and not isinstance(output, bool) and abs(output) < MOST_OUTPUTS:
            return cls(node_id, int(output))
        return cls(node_id, 0)


Value: TypeAlias = "Json | Link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Is a node of a graph in the making; `title` says what it is for where its class does not."""

    class_type: str
    inputs: Mapping[str, Value]
    title: str = ""

    @property
    def wire(self) -> JsonObject:
        """Return the node in API format; `_meta` is empty for one without title (capture comfy-graph-sdxl-worker)."""
        inputs: JsonObject = {
            name: list(value) if isinstance(value, Link) else value for name, value in self.inputs.items()
        }
        return {"class_type": self.class_type, "inputs": inputs, "_meta": {"title": self.title} if self.title else {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """Is the graph of an ecosystem without the values of a job.

    `slots` are inputs to fill (node id, input name). `sources` say where what others read comes from: `model`, `clip`
    and `vae`, the conditionings `positive` and, if there is one, `negative`, the `latent` that the sampler starts
    from, its `samples`, and the `image`.
    """

    name: str
    nodes: Mapping[str, Node]
    slots: Mapping[str, tuple[str, str]]
    sources: Mapping[str, Link]


def parse_skeleton(name: str, document: Any) -> Skeleton:
    """Read `{graph, slots, sources}`; raise ValueError for a slot that names no input of the graph."""
    nodes = {node_id: _node(node) for node_id, node in document["graph"].items()}
    slots = {slot: (node_id, input_name) for slot, (node_id, input_name) in document["slots"].items()}
    for slot, (node_id, input_name) in slots.items():
        if node_id not in nodes or input_name not in nodes[node_id].inputs:
            raise ValueError(f"skeleton {name}: slot {slot} names no input of the graph")
    sources = {source: Link(node_id, output) for source, (node_id, output) in document["sources"].items()}
    return Skeleton(name=name, nodes=nodes, slots=slots, sources=sources)


def _node(document: Mapping[str, Any]) -> Node:
    inputs = {name: Link.of(value) or value for name, value in document["inputs"].items()}
    return Node(class_type=document["class_type"], inputs=inputs)
