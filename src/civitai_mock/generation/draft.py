"""A graph in the making."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from civitai_mock.domain.json import Json
from civitai_mock.generation.graph import Graph, Link, Node, Value
from civitai_mock.generation.skeleton import Skeleton


class Draft:
    """Starts as a skeleton, which it leaves as it is."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._slots = skeleton.slots
        self._sources = dict(skeleton.sources)
        self._nodes = dict(skeleton.nodes)

    def fill(self, slot: str, value: Json) -> bool:
        """False if the skeleton has no such slot: its ecosystem has no use for the value."""
        if slot not in self._slots:
            return False
        node_id, name = self._slots[slot]
        node = self._nodes[node_id]
        self._nodes[node_id] = replace(node, inputs={**node.inputs, name: value})
        return True

    def insert(self, class_type: str, inputs: Mapping[str, Json], *, behind: Sequence[str]) -> None:
        """Put a node between some sources and all that read them; its outputs come in the order of `behind`."""
        taken = {name: self._sources[name] for name in behind}
        self._provide(class_type, {**inputs, **taken}, behind)

    def substitute(self, class_type: str, inputs: Mapping[str, Json], *, source: str) -> None:
        """Have a new node provide `source` to all that read it."""
        self._provide(class_type, inputs, [source])

    def graph(self) -> Graph:
        return {node_id: node.wire for node_id, node in self._nodes.items()}

    def _provide(self, class_type: str, inputs: Mapping[str, Value], sources: Sequence[str]) -> None:
        node_id = self._new_id(class_type)
        links = {self._sources[name]: Link(node_id, output) for output, name in enumerate(sources)}
        self._nodes = {known_id: _relinked(node, links) for known_id, node in self._nodes.items()}
        self._nodes[node_id] = Node(class_type=class_type, inputs=inputs)
        self._sources |= {name: links[self._sources[name]] for name in sources}

    def _new_id(self, class_type: str) -> str:
        """`LoraLoader`, `LoraLoader_1`… (capture comfy-graph-sdxl-worker)."""
        numbered = (f"{class_type}_{number}" if number else class_type for number in count())
        return next(node_id for node_id in numbered if node_id not in self._nodes)


def _relinked(node: Node, links: Mapping[Link, Link]) -> Node:
    inputs = {
        name: links.get(value, value) if isinstance(value, Link) else value for name, value in node.inputs.items()
    }
    return replace(node, inputs=inputs)
