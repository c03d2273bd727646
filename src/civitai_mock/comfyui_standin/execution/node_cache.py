"""What nodes made in earlier prompts, so that an unchanged part of a graph does not run again.

As ComfyUI's caches: by what a node is and all that is above it, not by its id. In the default one only the last graph's
nodes stay.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.execution.graph_links import AnyGraph, is_link, sources
from civitai_mock.comfyui_standin.options import Cache, CacheKind
from civitai_mock.domain.json_types import JsonObject

# What else a node's result hangs on, as text; None for a node that never counts as unchanged.
ChangeMark: TypeAlias = Callable[[str, Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UiOutput:
    """What a node shows to people, as history and `executed` have it."""

    output: JsonObject
    meta: JsonObject


@dataclass(frozen=True, slots=True)
class Made:
    """A node has run; only some have something to show."""

    ui: UiOutput | None = None


DEFAULT_CACHE = Cache()


class NodeCache:
    def __init__(self, change_mark: ChangeMark, cache: Cache = DEFAULT_CACHE) -> None:
        self._change_mark = change_mark
        self._cache = cache
        self._made: dict[str, Made] = {}
        self._keys: dict[str, str] = {}
        self._opened = 0

    def open(self, graph: AnyGraph) -> None:
        """Forget what `graph` has no use for; raise what a node without inputs leads to."""
        self._keys = {}
        self._opened += 1
        keys = signatures(graph, self._change_mark)
        self._keys = {node_id: key or f"{self._opened}/{node_id}" for node_id, key in keys.items()}
        self._forget(set(self._keys.values()))

    def _forget(self, wanted: set[str]) -> None:
        """What the kind of the cache does not keep for a graph that wants these; the latest stay longest."""
        kept = {key: made for key, made in self._made.items() if key in wanted}
        match self._cache.kind:
            case CacheKind.NONE:
                self._made = {}
            case CacheKind.CLASSIC:
                self._made = kept
            case CacheKind.LRU:
                others = [key for key in self._made if key not in wanted]
                room = max(self._cache.size - len(kept), 0)
                self._made = {key: self._made[key] for key in others[len(others) - min(room, len(others)) :]} | kept

    def get(self, node_id: str) -> Made | None:
        return self._made.get(self._keys.get(node_id, ""))

    def put(self, node_id: str, made: Made) -> None:
        self._made[self._keys[node_id]] = made

    def clear(self) -> None:
        self._made.clear()

    def shown(self, node_ids: Iterable[str]) -> dict[str, UiOutput]:
        """What there is to show of these nodes, whichever prompt made it."""
        found = {node_id: made.ui for node_id in node_ids if (made := self.get(node_id)) is not None}
        return {node_id: ui for node_id, ui in found.items() if ui is not None}


def signatures(graph: AnyGraph, change_mark: ChangeMark) -> dict[str, str | None]:
    """Return signatures by node id: the same for two nodes that must make the same, None for what never is again.

    Each is made of those of the nodes right above, so that deep graphs take no longer than wide ones.
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
                known[node_id] = _signature(graph, node_id, known, change_mark)
            waiting.pop()
    return known


def _signature(graph: AnyGraph, node_id: str, known: Mapping[str, str | None], change_mark: ChangeMark) -> str | None:
    """`known` has the nodes above, but for those in a circle, which never run."""
    node = graph[node_id]
    mark = change_mark(node["class_type"], node["inputs"])
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
