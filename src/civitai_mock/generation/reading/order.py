"""The order in which the output nodes of a graph are counted."""

from collections.abc import Sequence
from typing import TypeAlias

LONGEST_NUMBER = 20

Rank: TypeAlias = tuple[bool, tuple[int, ...]]


def output_rank(node_id: str, node_order: Sequence[str]) -> Rank:
    """Numbers as numbers (`57:9` is a node inside a subgraph), names after them as in the graph."""
    parts = node_id.split(":")
    if all(part.isascii() and part.isdigit() and len(part) < LONGEST_NUMBER for part in parts):
        return False, tuple(map(int, parts))
    return True, (node_order.index(node_id) if node_id in node_order else len(node_order),)
