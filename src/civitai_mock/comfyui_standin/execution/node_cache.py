"""The node cache: what nodes made in earlier prompts, so that an unchanged part of a graph does not run again.

A result belongs to what a node is and to all that is above it, not to its id, as in ComfyUI's caches. In the default
cache only the nodes of the last graph stay.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.execution.graph import AcceptedGraph, is_link, sources
from civitai_mock.comfyui_standin.options import CacheKind, CacheOptions
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject

# What else a node's result depends on, as text; None for a node that never counts as unchanged.
Fingerprint: TypeAlias = Callable[[str, Mapping[str, Any]], str | None]

DEFAULT_CACHE = CacheOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class UiOutput:
    """Is what a node shows to people, as history and `executed` have it."""

    output: JsonObject
    meta: JsonObject


@dataclass(frozen=True, slots=True)
class NodeResult:
    """Says that a node has run; only some nodes have something to show."""

    ui: UiOutput | None = None


class NodeCache:
    """Holds results of nodes by signature; call `open` with each graph before anything else."""

    def __init__(self, fingerprint: Fingerprint, options: CacheOptions = DEFAULT_CACHE) -> None:
        self._fingerprint = fingerprint
        self._options = options
        self._results: dict[str, NodeResult] = {}
        self._keys: dict[str, str] = {}
        self._opened = 0

    def open(self, graph: AcceptedGraph) -> None:
        """Forget what `graph` has no use for; raise what a node without inputs leads to."""
        self._keys = {}
        self._opened += 1
        keys = signatures(graph, self._fingerprint)
        self._keys = {node_id: key or f"{self._opened}/{node_id}" for node_id, key in keys.items()}
        self._evict(set(self._keys.values()))

    def _evict(self, wanted: set[str]) -> None:
        """Drop what the kind of the cache does not keep for a graph that wants these; the latest stay longest."""
        kept = {key: result for key, result in self._results.items() if key in wanted}
        match self._options.kind:
            case CacheKind.NONE:
                self._results = {}
            case CacheKind.CLASSIC:
                self._results = kept
            case CacheKind.LRU:
                others = [key for key in self._results if key not in wanted]
                room = min(max(self._options.size - len(kept), 0), len(others))
                self._results = {key: self._results[key] for key in others[len(others) - room :]} | kept

    def get(self, node_id: str) -> NodeResult | None:
        return self._results.get(self._keys.get(node_id, ""))

    def put(self, node_id: str, result: NodeResult) -> None:
        self._results[self._keys[node_id]] = result

    def clear(self) -> None:
        self._results.clear()

    def ui_outputs(self, node_ids: Iterable[str]) -> dict[str, UiOutput]:
        """Return what these nodes have to show, whichever prompt made it."""
        found = {node_id: result.ui for node_id in node_ids if (result := self.get(node_id)) is not None}
        return {node_id: ui for node_id, ui in found.items() if ui is not None}


def signatures(graph: AcceptedGraph, fingerprint: Fingerprint) -> dict[str, str | None]:
    """Return signatures by node id: equal for nodes that make the same, None for a node that never is unchanged.

    Each is made of the signatures of the nodes right above, so that deep graphs take no longer than wide ones.
    """
    known: dict[str, str | None] = {}
    for start in graph:
        waiting, under_way = [start], set[str]()
        while waiting:
            node_id = waiting[-1]
            above = [] if node_id in known else [source for source in sources(graph, node_id) if source in graph]
            missing = [source for source in above if source not in known and source not in under_way]
            if missing and node_id not in under_way:
                under_way.add(node_id)
                waiting += missing
                continue
            if node_id not in known:
                known[node_id] = _signature(graph, node_id, known, fingerprint)
            waiting.pop()
    return known


def _signature(
    graph: AcceptedGraph, node_id: str, known: Mapping[str, str | None], fingerprint: Fingerprint
) -> str | None:
    """Sign one node; `known` has the nodes above, but not those in a circle, which never run."""
    node = graph[node_id]
    mark = fingerprint(node["class_type"], node["inputs"])
    if mark is None or any(known.get(source) is None for source in sources(graph, node_id)):
        return None
    inputs = {
        name: {"link": [known[value[0]], value[1]]} if is_link(value) else value
        for name, value in sorted(node["inputs"].items())
    }
    try:
        text = json.dumps([node["class_type"], mark, inputs], allow_nan=False)
    except ValueError:  # NaN equals nothing
        return None
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
