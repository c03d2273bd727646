"""A skeleton: the JSON graph of an ecosystem with named slots."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.generation.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """`slots` maps a slot's name to the node id and the input it stands for."""

    name: str
    graph: Graph
    slots: Mapping[str, tuple[str, str]]
