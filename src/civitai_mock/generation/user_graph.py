"""Read a user's own graph by the names of inputs: files, seeds, cost, and the images that it loads from elsewhere."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeGuard

from civitai_mock.domain.air import Air
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.domain.urls import image_url
from civitai_mock.generation.comfyui_facts import LARGEST_BATCH, LARGEST_SIDE, MOST_STEPS, SEED_INPUTS, TEXT_INPUTS
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.graph_reader.image_batches.batch import DEFAULT_SIDE
from civitai_mock.generation.graph_reader.nodes import Inputs, Nodes
from civitai_mock.generation.graph_reader.samplers import is_sampler, sampler_pass_at
from civitai_mock.generation.text_to_image.spec import image_cost
from civitai_mock.generation.work import InputImage, is_url

FULL_AIR = re.compile(r"urn:air:\S+", re.IGNORECASE)
# Inputs that may hold a text of people, in ComfyUI's own nodes and in those of packs.
PROSE_INPUTS = frozenset(
    {
        *(*TEXT_INPUTS, "llama", "bert", "mt5xl", "system_prompt", "prompt", "positive", "negative"),
        *("positive_prompt", "negative_prompt", "user_prompt", "tags", "lyrics"),
    }
)
MAX_NODES, MAX_INPUTS, MAX_IMAGES = 5000, 1000, 100
MAX_SEED = 2**63 - 1  # v1 description: a seed is an int64
MOST_ABOVE = 200  # nodes above another one, as far as anybody would build

IMAGE_LOADERS = "LoadImage"  # classes that begin so
URL_FETCHERS = "url"  # in the names of classes that want to have a URL
IMAGE_INPUT = "image"
BLOB_KEY = re.compile(r"[0-9A-Fa-f]{64}")
WEB_URL = re.compile(r"https?://", re.IGNORECASE)


def file_references(graph: Graph) -> dict[str, str]:
    """Return the AIRs in a graph by their path in it."""
    return {
        f"{node_id}.inputs.{name}": air
        for node_id, node in graph.items()
        for name, air in node_files(as_object(node.get("inputs")))
    }


def node_files(inputs: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield the inputs of a node that are nothing but a full AIR; what may be a prompt text never is."""
    for name, value in inputs.items():
        if name not in PROSE_INPUTS and isinstance(value, str) and FULL_AIR.fullmatch(value):
            yield name, value


def air_faults(inputs: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield the inputs of a node that begin as an AIR and are none, each with what is wrong."""
    for name, text in node_files(inputs):
        try:
            Air.parse(text)
        except InvalidRequestError as error:
            yield name, error.message


def graph_faults(graph: Json) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with a value that has to be a graph in API format, with the way to it from the graph."""
    if not isinstance(graph, dict) or not graph:
        yield (), "Expected a graph in ComfyUI's API format: an object with nodes by their ids."
    elif isinstance(graph.get("nodes"), list):
        yield (), "This is a workflow of ComfyUI's editor; export it with 'Export (API)' and send that."
    elif len(graph) > MAX_NODES:
        yield (), f"Expected at most {MAX_NODES} nodes; found {len(graph)}."
    else:
        faults = [fault for node_id, node in graph.items() for fault in _node_faults(node_id, node)]
        yield from faults or image_faults({node_id: as_object(node) for node_id, node in graph.items()})


def _node_faults(node_id: str, node: Json) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(node, dict):
        yield (node_id,), "Expected a node: an object with class_type and inputs."
        return
    if not as_text(node.get("class_type")):
        yield (node_id, "class_type"), "A node needs a class_type."
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        yield (node_id, "inputs"), "A node needs inputs, if only an empty object."
    elif len(inputs) > MAX_INPUTS:
        yield (node_id, "inputs"), f"Expected at most {MAX_INPUTS} inputs of a node; found {len(inputs)}."
    else:
        yield from (((node_id, "inputs", name), message) for name, message in air_faults(inputs))


def with_files(graph: Graph, files: Mapping[str, str]) -> Graph:
    """Return the graph with file names in the places of its AIRs."""
    return {node_id: _with_files(node, files) for node_id, node in graph.items()}


def _with_files(node: JsonObject, files: Mapping[str, str]) -> JsonObject:
    inputs = as_object(node.get("inputs"))
    return {**node, "inputs": {**inputs, **{name: files[air] for name, air in node_files(inputs)}}}


def graph_cost(graph: Graph) -> float:
    """Return the cost of all samplers in Buzz, by the formula for images."""
    nodes = Nodes(graph)
    return sum((_sampler_cost(nodes, node_id) for node_id in nodes if "steps" in nodes.inputs(node_id)), start=0.0)


def _sampler_cost(nodes: Nodes, sampler: str) -> float:
    latent = next((inputs for inputs in _upstream(nodes, sampler) if "width" in inputs and "height" in inputs), {})
    width, height = (_whole_within(latent.get(side), DEFAULT_SIDE, LARGEST_SIDE) for side in ("width", "height"))
    steps = _whole_within(nodes.inputs(sampler)["steps"], 0, MOST_STEPS)
    images = _whole_within(latent.get("batch_size"), 1, LARGEST_BATCH)
    return image_cost(width=width, height=height, steps=steps) * images


def _whole_within(value: Json, otherwise: int, most: int) -> int:
    return min(max(value, 0), most) if isinstance(value, int) and not isinstance(value, bool) else otherwise


def with_later_seeds(graph: Graph, distance: int) -> Graph:
    """Return the graph for the image that comes so much later: each seed in it is the one that far behind."""
    return {node_id: _with_later_seeds(node, distance) for node_id, node in graph.items()} if distance else graph


def _with_later_seeds(node: JsonObject, distance: int) -> JsonObject:
    inputs = as_object(node.get("inputs"))
    seeds: JsonObject = {
        name: (seed + distance) % (MAX_SEED + 1) for name in SEED_INPUTS if _is_seed(seed := inputs.get(name))
    }
    return {**node, "inputs": {**inputs, **seeds}} if seeds else node


def prompt_texts(graph: ReadOnlyJson) -> Sequence[str]:
    """Return what the samplers of a graph are to draw, each text once; negative ones are not among them."""
    nodes = Nodes(graph)
    passes = (sampler_pass_at(nodes, node_id) for node_id in nodes if is_sampler(nodes.inputs(node_id)))
    return tuple(dict.fromkeys(sampled.prompt_text for sampled in passes if sampled.prompt_text))


def seed_above(graph: Graph, output: str) -> int | None:
    """Return the seed of the nearest sampler above an output node."""
    seeds = (inputs.get(name) for inputs in _upstream(Nodes(graph), output) for name in SEED_INPUTS)
    return next((seed for seed in seeds if _is_seed(seed)), None)


def _is_seed(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED


def _upstream(nodes: Nodes, start: str) -> Iterator[Inputs]:
    """Return the inputs of a node and of those above it, the nearest first."""
    return (nodes.inputs(node_id) for node_id in islice(nodes.upstream(start), MOST_ABOVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGraph:
    """Holds a graph that loads `images`, each under its name."""

    graph: Graph
    images: tuple[InputImage, ...]


def loads_images(class_type: str) -> bool:
    """Return whether nodes of a class load images by name: LoadImage and its kin, but for those that fetch URLs."""
    return class_type.startswith(IMAGE_LOADERS) and URL_FETCHERS not in class_type.lower()


def image_sources(graph: Graph) -> Mapping[str, str]:
    """Return the URLs and the blob keys, in upper case, of images by the ids of the nodes that load them."""
    found = {node_id: _image_source(node) for node_id, node in graph.items()}
    return {node_id: source for node_id, source in found.items() if source is not None}


def image_faults(graph: Graph) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with images that a graph loads, with the way to it from the graph.

    Each image is fetched, and sent to a server: so there may not be any number of them.
    """
    sources = image_sources(graph)
    count = len(set(sources.values()))
    if count > MAX_IMAGES:
        yield (), f"A graph can load at most {MAX_IMAGES} different images; found {count}."
    for node_id, source in sources.items():
        try:
            if is_url(source):
                image_url(source)
        except ValueError as error:
            yield (node_id, "inputs", IMAGE_INPUT), str(error)


def with_images(graph: Graph, *, prefix: str) -> ImageGraph:
    """Name the images that a graph loads; one that several nodes load is one image."""
    sources = image_sources(graph)
    names = {source: f"{prefix}{number}" for number, source in enumerate(dict.fromkeys(sources.values()))}
    loading = {node_id: _loading(graph[node_id], names[source]) for node_id, source in sources.items()}
    images = tuple(InputImage.of(source, name=name) for source, name in names.items())
    return ImageGraph(graph={**graph, **loading}, images=images)


def _image_source(node: JsonObject) -> str | None:
    value = as_object(node.get("inputs")).get(IMAGE_INPUT)
    if not isinstance(value, str) or not loads_images(as_text(node.get("class_type"))):
        return None
    if WEB_URL.match(value):
        return value
    return value.upper() if BLOB_KEY.fullmatch(value) else None


def _loading(node: JsonObject, name: str) -> JsonObject:
    return {**node, "inputs": {**as_object(node["inputs"]), IMAGE_INPUT: name}}
