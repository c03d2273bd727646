"""Links between the nodes of an accepted graph."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

# An accepted graph; nodes that no output needs were not looked at and may still have any shape.
AnyGraph: TypeAlias = Mapping[str, Any]


def is_link(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) in {int, float}


def sources(graph: AnyGraph, node_id: str) -> Iterator[str]:
    """The nodes that a node's inputs come from, in the order of its inputs."""
    return (value[0] for value in graph[node_id]["inputs"].values() if is_link(value))
