"""Follow the links of a graph; whatever does not have the expected shape reads as nothing."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from civitai_mock.domain.json_types import Json, ReadOnlyJson, as_text
from civitai_mock.generation.graph import Link

HOLDERS = ("value", "int", "float", "string", "text", "seed", "noise_seed")  # where a node keeps a single value
MOST_HOPS = 32
LARGEST = 2**64  # no number in ComfyUI is larger

Inputs: TypeAlias = Mapping[str, Json]
NO_INPUTS: Inputs = {}


class Nodes:
    """Holds the nodes of a graph, and answers what they are given: literally, or over links."""

    def __init__(self, graph: ReadOnlyJson) -> None:
        self._classes = {node_id: as_text(_member(node, "class_type")) for node_id, node in graph.items()}
        self._inputs = {node_id: _member(node, "inputs") for node_id, node in graph.items()}
        self._links: dict[str, Mapping[str, Link]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __contains__(self, node_id: object) -> bool:
        return isinstance(node_id, str) and node_id in self._classes

    def class_type(self, node_id: str) -> str:
        return self._classes.get(node_id, "")

    def inputs(self, node_id: str) -> Inputs:
        """Return the inputs of a node; `NO_INPUTS` itself if it has none."""
        inputs = self._inputs.get(node_id)
        return inputs if isinstance(inputs, dict) else NO_INPUTS

    def sources(self, node_id: str, *, skip: Collection[str] = ()) -> Iterator[str]:
        """Yield the nodes that the inputs of a node are linked to, but for the inputs named in `skip`."""
        for name, link in self._links_of(node_id).items():
            if name not in skip:
                yield link.node_id

    def links(self, node_id: str) -> Iterator[Link]:
        """Return the outputs that the inputs of a node are linked to."""
        return iter(self._links_of(node_id).values())

    def link(self, node_id: str, name: str) -> Link | None:
        """Return the output that an input is linked to."""
        return self._links_of(node_id).get(name)

    def linked(self, node_id: str, names: Iterable[str]) -> str | None:
        """Return the node that the first linked one of some inputs leads to."""
        return next((link.node_id for name in names if (link := self.link(node_id, name)) is not None), None)

    def _links_of(self, node_id: str) -> Mapping[str, Link]:
        """Return the linked inputs of a node; readers ask for them many times, so they are read once."""
        links = self._links.get(node_id)
        if links is None:
            read = ((name, Link.of(value)) for name, value in self.inputs(node_id).items())
            links = self._links[node_id] = {name: link for name, link in read if link is not None}
        return links

    def value(self, node_id: str, name: str) -> Json:
        """Return the value of an input, through links to nodes that do no more than hold one."""
        value = self.inputs(node_id).get(name)
        for _ in range(MOST_HOPS):
            link = Link.of(value)
            if link is None:
                return value
            held = self.inputs(link.node_id)
            value = next((held[name] for name in HOLDERS if name in held), None)
        return None

    def upstream(self, start: str | None, *, skip: Collection[str] = (), stop: str | None = None) -> Iterator[str]:
        """Yield `start` and the nodes above it, the nearest first, each once.

        Inputs named in `skip` are not followed; nodes of the class `stop`, and what is above them, are left out.
        """
        waiting, seen = deque([] if start is None else [start]), {start}
        while waiting:
            node_id = waiting.popleft()
            if stop is not None and self.class_type(node_id) == stop:
                continue
            yield node_id
            for source in self.sources(node_id, skip=skip):
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)

    def nearest(self, start: str, names: Collection[str], *, skip: Collection[str]) -> Inputs:
        """Return the value of each named input, from the nearest node that has one."""
        found: dict[str, Json] = {}
        for node_id in self.upstream(start, skip=skip):
            for name in self.inputs(node_id).keys() & names - found.keys():
                value = self.value(node_id, name)
                if value is not None:
                    found[name] = value
        return found


def _member(node: Json, name: str) -> Json:
    return node.get(name) if isinstance(node, dict) else None


def real(value: Json) -> float | None:
    """Return a number, also one in a string, as ComfyUI takes it."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def whole(value: Json) -> int | None:
    """Return a whole number, with every digit of a 64-bit seed."""
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    number = real(value)
    return None if number is None else int(number)
