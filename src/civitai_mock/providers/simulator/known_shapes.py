"""Remembers what graphs of one shape make, so that only the first one of each shape is read and checked.

Graphs that are built here mostly differ in their texts, their seeds and the names of their files. To read a graph takes
100 µs, a sixth of a whole job; to find its shape, and fill in what differs, 20 µs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import orjson

from civitai_mock.generation.graph_reader.nodes import whole
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass, joined_words
from civitai_mock.providers.simulator.graph_check import check_graph

MOST_SHAPES = 1024
# The input that may differ between graphs of one shape, and its type, by class of node.
FREE_INPUTS: Mapping[str, tuple[str, type]] = {
    "CLIPTextEncode": ("text", str),
    "KSampler": ("seed", int),
    "KSamplerAdvanced": ("noise_seed", int),
    "RandomNoise": ("noise_seed", int),
    "SaveImage": ("filename_prefix", str),
}
NO_INPUT: tuple[str, type] = ("", object)  # which is the type of no value
MARK = "\0"  # surrounds the id of the node whose text stands there; no graph of ours has it
FIRST_SEED = 2**63  # of those that stand for the seeds of nodes; those of requests are smaller

FreeValues: TypeAlias = Mapping[str, str | int]  # by node


class UnusualGraphError(Exception):
    """Says that a graph cannot be told from its shape, and has to be read by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapedPass:
    """Is a sampler pass of a shape, with the nodes that its seed and its texts are taken from."""

    read: SamplerPass
    seed: str | None
    prompt_texts: Sequence[str]
    negative_texts: Sequence[str]

    def filled(self, values: FreeValues) -> SamplerPass:
        return replace(
            self.read,
            seed=self.read.seed if self.seed is None else whole(values[self.seed]) or 0,
            prompt_text=joined_words(str(values[node_id]) for node_id in self.prompt_texts),
            negative_text=joined_words(str(values[node_id]) for node_id in self.negative_texts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapedOutput:
    """Is what an output node makes in each graph of a shape."""

    read: OutputImages
    passes: Sequence[ShapedPass]

    def filled(self, values: FreeValues) -> OutputImages:
        return replace(self.read, passes=tuple([each.filled(values) for each in self.passes]))


class KnownShapes:
    """Reads graphs that were built here; see `GraphWork.has_common_shape`."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Sequence[ShapedOutput]] = {}

    def read(self, graph: Mapping[str, Any]) -> Sequence[OutputImages]:
        """Return what `check_graph` does, and raise the same."""
        try:
            shape, values = _split(graph)
            outputs = self._shapes.get(shape) or self._learn(shape, graph, values)
        except UnusualGraphError:
            return check_graph(graph)
        return [output.filled(values) for output in outputs]

    def _learn(self, shape: bytes, graph: Mapping[str, Any], values: FreeValues) -> Sequence[ShapedOutput]:
        """Read a graph with marks in the place of what is free, and see where they come out."""
        marks = {node_id: _mark(node_id, value, number) for number, (node_id, value) in enumerate(values.items())}
        marked = {node_id: _with_free(graph[node_id], mark) for node_id, mark in marks.items()}
        outputs = check_graph({**graph, **marked})
        nodes = {mark: node_id for node_id, mark in marks.items()}
        shaped = [
            ShapedOutput(read=output, passes=[_shaped(each, nodes) for each in output.passes]) for output in outputs
        ]
        if len(self._shapes) >= MOST_SHAPES:
            del self._shapes[next(iter(self._shapes))]
        self._shapes[shape] = shaped
        return shaped


def _split(graph: Mapping[str, Any]) -> tuple[bytes, FreeValues]:
    """Return the shape of a graph, and the values that are free in it."""
    values: dict[str, str | int] = {}
    rest: dict[str, Any] = {}
    for node_id, node in graph.items():
        name, kind = FREE_INPUTS.get(node["class_type"], NO_INPUT)
        value = node["inputs"].get(name)
        is_free = type(value) is kind
        if is_free:
            values[node_id] = value
        rest[node_id] = _with_free(node, None) if is_free else node
    try:
        return orjson.dumps(rest), values
    except TypeError as error:  # half a surrogate pair in a name, or a number of more than 64 bits
        raise UnusualGraphError from error


def _with_free(node: Any, value: str | int | None) -> Any:
    """Return a node with another value in its free input."""
    name, _ = FREE_INPUTS[node["class_type"]]
    return {**node, "inputs": {**node["inputs"], name: value}}


def _mark(node_id: str, value: str | int, number: int) -> str | int:
    return f"{MARK}{node_id}{MARK}" if isinstance(value, str) else FIRST_SEED + number


def _shaped(read: SamplerPass, nodes: Mapping[str | int, str]) -> ShapedPass:
    prompt_texts, negative_texts = (_marked(text, nodes) for text in (read.prompt_text, read.negative_text))
    return ShapedPass(read=read, seed=nodes.get(read.seed), prompt_texts=prompt_texts, negative_texts=negative_texts)


def _marked(text: str, nodes: Mapping[str | int, str]) -> Sequence[str]:
    """Return the nodes whose texts a text was joined from; raise `UnusualGraphError` if there is another in it."""
    parts = text.split(", ") if text else []
    if not nodes.keys() >= set(parts):
        raise UnusualGraphError
    return [nodes[part] for part in parts]
