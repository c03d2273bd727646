"""Remembers what graphs of one shape make, so that only the first one of each shape is read and checked.

Graphs that are built here mostly differ in their texts, their seeds and the names of their files. To read a graph takes
100 µs, a sixth of a whole job; to find its shape 4 µs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.graph_reader.image_batches.batch import Load, nothing_known
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.providers.simulator.graph_check import check_graph
from civitai_mock.providers.simulator.timing import Demand, demand_of

MOST_SHAPES = 1024
# The input that may differ between graphs of one shape, with the value that stands for all, by class of node.
FREE_INPUTS: Mapping[str, tuple[str, str | int]] = {
    "CLIPTextEncode": ("text", ""),
    "CLIPTextEncodeSDXLRefiner": ("text", ""),
    "KSampler": ("seed", 0),
    "KSamplerAdvanced": ("noise_seed", 0),
    "RandomNoise": ("noise_seed", 0),
    "SaveImage": ("filename_prefix", ""),
}


class ReadGraph(NamedTuple):
    """Is what a graph makes, and what that takes.

    `files` are given out: all that is made but for `previews`, which count only where nothing else is made. If it
    `is_undrawn`, all of them are images that a drawing stands in for.
    """

    files: Sequence[OutputImages]
    previews: Sequence[OutputImages]
    is_undrawn: bool
    demand: Demand


def read_graph(graph: ReadOnlyJson, load: Load = nothing_known) -> ReadGraph:
    """Read a graph; raise `GraphRefusedError` for one that cannot run. `load` tells what is known of files."""
    outputs = check_graph(graph, load=load)
    made = [output for output in outputs if output.results]
    files = [output for output in made if not output.is_preview]
    previews = [output for output in made if output.is_preview] if files else []
    is_undrawn = all(output.is_drawn_image for output in made)
    return ReadGraph(files or made, previews, is_undrawn, demand_of(outputs))


class KnownShapes:
    """Reads graphs that were built here; see `GraphWork.has_common_shape`."""

    def __init__(self) -> None:
        self._read: dict[bytes, ReadGraph] = {}

    def read(self, graph: Mapping[str, Any]) -> ReadGraph:
        """Return what `read_graph` does, but for seeds and texts, which are left out; raise the same."""
        plain = {node_id: _without_free_input(node) for node_id, node in graph.items()}
        shape = orjson.dumps(plain)
        read = self._read.get(shape)
        if read is None:
            read = read_graph(plain)
            if len(self._read) >= MOST_SHAPES:
                del self._read[next(iter(self._read))]
            self._read[shape] = read
        return read


def _without_free_input(node: Mapping[str, Any]) -> Any:
    """Return the node as any other of its shape; an input that is linked is not free."""
    name, plain = FREE_INPUTS.get(node["class_type"], ("", ""))
    inputs = node["inputs"]
    is_free = type(inputs.get(name)) is type(plain)
    return {**node, "inputs": {**inputs, name: plain}} if is_free else node
