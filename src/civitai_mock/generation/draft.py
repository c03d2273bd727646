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
        node_id, name = self._slots.get(slot, ("", ""))
        if node_id not in self._nodes:
            return False
        node = self._nodes[node_id]
        self._nodes[node_id] = replace(node, inputs={**node.inputs, name: value})
        return True

    def has(self, source: str) -> bool:
        return source in self._sources

    def source(self, name: str) -> Link:
        """Where it comes from by now."""
        return self._sources[name]

    def add(self, class_type: str, inputs: Mapping[str, Value]) -> Link:
        """A node that nobody reads yet; its first output."""
        node_id = self._new_id(class_type)
        self._nodes[node_id] = Node(class_type=class_type, inputs=inputs)
        return Link(node_id, 0)

    def insert(self, class_type: str, inputs: Mapping[str, Value], *, behind: Mapping[str, str]) -> None:
        """Put a node between some sources and all that read them.

        `behind` has the source for each of its inputs; its outputs come in the same order.
        """
        taken = {name: self._sources[source] for name, source in behind.items()}
        self._provide(class_type, {**inputs, **taken}, list(behind.values()))

    def substitute(self, class_type: str, inputs: Mapping[str, Value], *, source: str) -> None:
        """Have a new node provide `source` to all that read it; a node that is read no more goes."""
        former = self._sources[source].node_id
        self._provide(class_type, inputs, [source])
        self._drop_unread(former)

    def graph(self) -> Graph:
        return {node_id: node.wire for node_id, node in self._nodes.items()}

    def _provide(self, class_type: str, inputs: Mapping[str, Value], sources: Sequence[str]) -> None:
        node_id = self._new_id(class_type)
        links = {self._sources[name]: Link(node_id, output) for output, name in enumerate(sources)}
        self._nodes = {known_id: _relinked(node, links) for known_id, node in self._nodes.items()}
        self._nodes[node_id] = Node(class_type=class_type, inputs=inputs)
        self._sources |= {name: links[self._sources[name]] for name in sources}

    def _drop_unread(self, node_id: str) -> None:
        """With the nodes that only it read."""
        if any(link.node_id == node_id for node in self._nodes.values() for link in _links(node)):
            return
        for link in _links(self._nodes.pop(node_id)):
            if link.node_id in self._nodes:
                self._drop_unread(link.node_id)

    def _new_id(self, class_type: str) -> str:
        """`LoraLoader`, `LoraLoader_1`… (capture comfy-graph-sdxl-worker)."""
        numbered = (f"{class_type}_{number}" if number else class_type for number in count())
        return next(node_id for node_id in numbered if node_id not in self._nodes)


def _links(node: Node) -> list[Link]:
    return [value for value in node.inputs.values() if isinstance(value, Link)]


def _relinked(node: Node, links: Mapping[Link, Link]) -> Node:
    inputs = {
        name: links.get(value, value) if isinstance(value, Link) else value for name, value in node.inputs.items()
    }
    return replace(node, inputs=inputs)
