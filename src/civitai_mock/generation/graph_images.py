"""Pictures that a user's own graph wants loaded: a URL or the key of a blob, where a node takes a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.work import InputImage

LOADERS = "LoadImage"
OWN_FETCHERS = "url"
PICTURE_INPUT = "image"
BLOB_KEY = re.compile(r"[0-9A-Fa-f]{64}")
WEB_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureGraph:
    """`graph` loads `images`, each under its name."""

    graph: Graph
    images: tuple[InputImage, ...]


def loads_pictures(class_type: str) -> bool:
    """LoadImage and its kin; a node that is named for fetching URLs wants to have its URL."""
    return class_type.startswith(LOADERS) and OWN_FETCHERS not in class_type.lower()


def picture_sources(graph: Graph) -> Mapping[str, str]:
    """The URLs and keys by the id of the node that loads them; keys are told in upper case."""
    found = {node_id: _source(_picture(node)) for node_id, node in graph.items()}
    return {node_id: source for node_id, source in found.items() if source is not None}


def with_pictures(graph: Graph, *, prefix: str) -> PictureGraph:
    """Pictures that several nodes load are one; everything else of the graph stays as it is."""
    sources = picture_sources(graph)
    names = {source: f"{prefix}{number}" for number, source in enumerate(dict.fromkeys(sources.values()))}
    named = {node_id: _loading(graph[node_id], names[source]) for node_id, source in sources.items()}
    images = tuple(InputImage.of(source, name=name) for source, name in names.items())
    return PictureGraph(graph={**graph, **named}, images=images)


def _picture(node: JsonObject) -> Json:
    inputs, class_type = node.get("inputs"), node.get("class_type")
    if not isinstance(inputs, dict) or not isinstance(class_type, str) or not loads_pictures(class_type):
        return None
    return inputs.get(PICTURE_INPUT)


def _source(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    if WEB_URL.match(value):
        return value
    return value.upper() if BLOB_KEY.fullmatch(value) else None


def _loading(node: JsonObject, name: str) -> JsonObject:
    inputs = node["inputs"]
    return {**node, "inputs": {**(inputs if isinstance(inputs, dict) else {}), PICTURE_INPUT: name}}
