"""Read a user's own graph by the names of inputs: files, seeds, cost, and the images it loads by URL or blob key."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text
from civitai_mock.generation.comfyui_facts import LARGEST_BATCH, LARGEST_SIDE, MOST_STEPS, SEED_INPUTS, TEXT_INPUTS
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.graph_reader.image_batches.batch import DEFAULT_SIDE
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.text_to_image.params import image_cost
from civitai_mock.generation.work import InputImage

FULL_AIR = re.compile(r"urn:air:\S+", re.IGNORECASE)
# What may be a text of somebody's, in ComfyUI's own nodes and in those of packs.
PROSE_INPUTS = frozenset(
    {
        *(*TEXT_INPUTS, "llama", "bert", "mt5xl", "system_prompt", "prompt", "positive", "negative"),
        *("positive_prompt", "negative_prompt", "user_prompt", "tags", "lyrics"),
    }
)
MOST_SEED = 2**63 - 1  # v1 description: a seed is an int64
MOST_ABOVE = 200


def file_references(graph: Graph) -> dict[str, str]:
    """The AIRs in a graph by their path in it."""
    return {
        f"{node_id}.inputs.{name}": air
        for node_id, node in graph.items()
        for name, air in node_files(as_object(node.get("inputs")))
    }


def node_files(inputs: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The inputs of a node that are nothing but a full AIR, where it wants a file's name; a prompt is never one."""
    for name, value in inputs.items():
        if name not in PROSE_INPUTS and isinstance(value, str) and FULL_AIR.fullmatch(value):
            yield name, value


def with_files(graph: Graph, files: Mapping[str, str]) -> Graph:
    """The graph with file names in the places of its AIRs."""
    return {node_id: _with_files(node, files) for node_id, node in graph.items()}


def _with_files(node: JsonObject, files: Mapping[str, str]) -> JsonObject:
    inputs = as_object(node.get("inputs"))
    return {**node, "inputs": {**inputs, **{name: files[air] for name, air in node_files(inputs)}}}


def graph_cost(graph: Graph) -> float:
    """Of all its samplers, in Buzz, by the formula for images."""
    nodes = Nodes(graph)
    return sum((_sampler_cost(nodes, node_id) for node_id in nodes if "steps" in nodes.inputs(node_id)), start=0.0)


def _sampler_cost(nodes: Nodes, sampler: str) -> float:
    latent = next((inputs for inputs in _upstream(nodes, sampler) if "width" in inputs and "height" in inputs), {})
    width, height = (_number(latent.get(side), DEFAULT_SIDE, LARGEST_SIDE) for side in ("width", "height"))
    steps = _number(nodes.inputs(sampler)["steps"], 0, MOST_STEPS)
    return image_cost(width=width, height=height, steps=steps) * _number(latent.get("batch_size"), 1, LARGEST_BATCH)


def seed_above(graph: Graph, output: str) -> int | None:
    """The seed of the nearest sampler above an output node."""
    seeds = (inputs.get(name) for inputs in _upstream(Nodes(graph), output) for name in SEED_INPUTS)
    return next((seed for seed in seeds if _is_seed(seed)), None)


def _is_seed(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SEED


def _upstream(nodes: Nodes, start: str) -> Iterator[Mapping[str, Json]]:
    """The inputs of a node and of those above it, the nearest first, as far as anybody would build."""
    return (nodes.inputs(node_id) for node_id in islice(nodes.upstream(start), MOST_ABOVE))


def _number(value: Json, otherwise: int, most: int) -> int:
    """A whole number within reason."""
    return min(max(value, 0), most) if isinstance(value, int) and not isinstance(value, bool) else otherwise


LOADERS = "LoadImage"
OWN_FETCHERS = "url"
IMAGE_INPUT = "image"
BLOB_KEY = re.compile(r"[0-9A-Fa-f]{64}")
WEB_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGraph:
    """`graph` loads `images`, each under its name."""

    graph: Graph
    images: tuple[InputImage, ...]


def loads_images(class_type: str) -> bool:
    """LoadImage and its kin; a node that is named for fetching URLs wants to have its URL."""
    return class_type.startswith(LOADERS) and OWN_FETCHERS not in class_type.lower()


def image_sources(graph: Graph) -> Mapping[str, str]:
    """The URLs and keys by the id of the node that loads them; keys are told in upper case."""
    found = {node_id: _source(_image(node)) for node_id, node in graph.items()}
    return {node_id: source for node_id, source in found.items() if source is not None}


def with_images(graph: Graph, *, prefix: str) -> ImageGraph:
    """ImageContent that several nodes load are one; everything else of the graph stays as it is."""
    sources = image_sources(graph)
    names = {source: f"{prefix}{number}" for number, source in enumerate(dict.fromkeys(sources.values()))}
    named = {node_id: _loading(graph[node_id], names[source]) for node_id, source in sources.items()}
    images = tuple(InputImage.of(source, name=name) for source, name in names.items())
    return ImageGraph(graph={**graph, **named}, images=images)


def _image(node: JsonObject) -> Json:
    return as_object(node.get("inputs")).get(IMAGE_INPUT) if loads_images(as_text(node.get("class_type"))) else None


def _source(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    if WEB_URL.match(value):
        return value
    return value.upper() if BLOB_KEY.fullmatch(value) else None


def _loading(node: JsonObject, name: str) -> JsonObject:
    return {**node, "inputs": {**as_object(node["inputs"]), IMAGE_INPUT: name}}
