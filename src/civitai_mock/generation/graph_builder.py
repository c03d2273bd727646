"""Build a graph: start from a skeleton, fill its slots, add nodes and relink others."""

from collections.abc import Mapping
from itertools import count

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.graph import Graph, Link, Node, Skeleton, Value


class GraphBuilder:
    """Builds a graph from a skeleton, which it leaves as it is."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._slots = skeleton.slots
        self._sources = dict(skeleton.sources)
        self._nodes = dict(skeleton.nodes)

    def fill(self, slot: str, value: Json) -> bool:
        """Fill a slot; return False if the skeleton has none of that name: its ecosystem has no use for the value."""
        node_id, _ = self._slots.get(slot, ("", ""))
        self.fill_all({slot: value})
        return node_id in self._nodes

    def fill_all(self, values: Mapping[str, Json]) -> None:
        """Fill slots by their names; each node is made anew once: a graph has a dozen slots in half as many nodes."""
        filled: dict[str, dict[str, Value]] = {}
        for slot, value in values.items():
            node_id, name = self._slots.get(slot, ("", ""))
            if node_id in filled:
                filled[node_id][name] = value
            elif node_id in self._nodes:
                filled[node_id] = {**self._nodes[node_id].inputs, name: value}
        for node_id, inputs in filled.items():
            node = self._nodes[node_id]
            self._nodes[node_id] = Node(class_type=node.class_type, inputs=inputs, title=node.title)

    def has(self, source: str) -> bool:
        return source in self._sources

    def source(self, name: str) -> Link:
        """Return where a source of the skeleton comes from by now."""
        return self._sources[name]

    def value(self, slot: str) -> Value:
        """Return what a slot of the skeleton holds by now."""
        node_id, name = self._slots[slot]
        return self._nodes[node_id].inputs[name]

    def output_at(self, slot: str) -> Link:
        """Return the first output of the node that has the slot."""
        return Link(self._slots[slot][0], 0)

    def add_once(self, class_type: str, inputs: Mapping[str, Value], *, title: str = "") -> Link:
        """Add a node unless the same one is there already; return its first output."""
        node = Node(class_type=class_type, inputs=inputs, title=title)
        same = next((node_id for node_id, known in self._nodes.items() if known == node), None)
        return self.add(class_type, inputs, title=title) if same is None else Link(same, 0)

    def add(self, class_type: str, inputs: Mapping[str, Value], *, title: str = "") -> Link:
        """Add a node that nobody reads yet; return its first output."""
        node_id = self._new_id(class_type)
        self._nodes[node_id] = Node(class_type=class_type, inputs=inputs, title=title)
        return Link(node_id, 0)

    def insert(self, class_type: str, inputs: Mapping[str, Value], *, behind: Mapping[str, str]) -> str:
        """Put a node between some sources and all that read them; return its id.

        `behind` has the source for each of its inputs; its outputs take the places of the sources in the same order.
        """
        taken = {name: self._sources[source] for name, source in behind.items()}
        node_id = self.add(class_type, {**inputs, **taken}).node_id
        self._redirect(node_id, {former: Link(node_id, output) for output, former in enumerate(taken.values())})
        return node_id

    def replace_source(self, class_type: str, inputs: Mapping[str, Value], *, source: str) -> None:
        """Have a new node provide `source` to all that read it; drop a node that is read no more."""
        self.redirect(self._sources[source], self.add(class_type, inputs))

    def redirect(self, former: Link, to: Link) -> None:
        """Have all that read `former` read `to` instead, but for what `to` itself is made of.

        The node of `former` is dropped if nobody reads it any more.
        """
        self._redirect(to.node_id, {former: to})
        self._drop_unread(former.node_id)

    def repeat(self, link: Link, *, slots: Mapping[str, Json], instead: Mapping[Link, Link]) -> Link:
        """Add a node like the one behind `link`, with other values in some slots, which reads other links `instead`.

        Nodes above it that differ by this are copied too, the rest is shared.
        """
        values: dict[str, dict[str, Json]] = {}
        for slot, value in slots.items():
            node_id, name = self._slots[slot]
            values.setdefault(node_id, {})[name] = value
        return self._repeated(link, values, instead, {})

    def build(self) -> Graph:
        return {node_id: node.wire for node_id, node in self._nodes.items()}

    def _repeated(
        self,
        link: Link,
        values: Mapping[str, Mapping[str, Json]],
        instead: Mapping[Link, Link],
        copies: dict[str, str],
    ) -> Link:
        """Return the link to take the place of `link`; `copies` has each copied node by the one that it is like."""
        if link in instead:
            return instead[link]
        if link.node_id not in copies:
            node = self._nodes[link.node_id]
            inputs = {
                name: self._repeated(value, values, instead, copies) if isinstance(value, Link) else value
                for name, value in node.inputs.items()
            }
            copies[link.node_id] = self._copied(link.node_id, {**inputs, **values.get(link.node_id, {})})
        return Link(copies[link.node_id], link.output)

    def _copied(self, node_id: str, inputs: Mapping[str, Value]) -> str:
        node = self._nodes[node_id]
        return node_id if inputs == node.inputs else self.add(node.class_type, inputs).node_id

    def _redirect(self, to_node: str, links: Mapping[Link, Link]) -> None:
        above = self._above(to_node)
        self._nodes = {
            node_id: node if node_id in above else _relinked(node, links) for node_id, node in self._nodes.items()
        }
        self._sources = {name: links.get(link, link) for name, link in self._sources.items()}

    def _above(self, node_id: str) -> set[str]:
        """Return a node and all that it is made of."""
        found, waiting = {node_id}, [node_id]
        while waiting:
            above = {link.node_id for link in _links(self._nodes[waiting.pop()])} - found
            found |= above
            waiting += above
        return found

    def _drop_unread(self, node_id: str) -> None:
        """Drop a node that nobody reads, and the nodes that only it read."""
        if any(link.node_id == node_id for node in self._nodes.values() for link in _links(node)):
            return
        for link in _links(self._nodes.pop(node_id)):
            if link.node_id in self._nodes:
                self._drop_unread(link.node_id)

    def _new_id(self, class_type: str) -> str:
        """Return the name of the class, numbered from its second node on (capture comfy-graph-sdxl-worker)."""
        if class_type not in self._nodes:
            return class_type
        numbered = (f"{class_type}_{number}" if number else class_type for number in count())
        return next(node_id for node_id in numbered if node_id not in self._nodes)


def _links(node: Node) -> list[Link]:
    return [value for value in node.inputs.values() if isinstance(value, Link)]


def _relinked(node: Node, links: Mapping[Link, Link]) -> Node:
    changed = {name: links[value] for name, value in node.inputs.items() if isinstance(value, Link) and value in links}
    if not changed:
        return node
    return Node(class_type=node.class_type, inputs={**node.inputs, **changed}, title=node.title)


def load_image(builder: GraphBuilder, name: str) -> Link:
    """Load the first image of a file.

    ComfyUI makes a batch of an animation, from which more images would be drawn than were asked for.
    """
    batch = builder.add_once("LoadImage", {"image": name})
    return builder.add_once("ImageFromBatch", {"image": batch, "batch_index": 0, "length": 1})
