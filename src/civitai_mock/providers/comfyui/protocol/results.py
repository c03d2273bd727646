"""What a prompt made, in the order in which its pictures are counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from civitai_mock.providers.comfyui.protocol.messages import Picture, SavedFile

SAVED = "output"


@dataclass(frozen=True, slots=True)
class Saved:
    """A picture that the server keeps as a file."""

    node_id: str
    file: SavedFile


Result: TypeAlias = Saved | Picture


def in_order(
    *, files: Mapping[str, Sequence[SavedFile]], pictures: Iterable[Picture], node_order: Sequence[str]
) -> tuple[Result, ...]:
    """By node, then by place in its batch; previews on disk count only where nothing else was made."""
    saved: list[Result] = [Saved(node_id, file) for node_id, made in files.items() for file in made]
    results = [*saved, *pictures]
    kept = [result for result in results if isinstance(result, Picture) or result.file.folder == SAVED]
    return tuple(sorted(kept or results, key=lambda result: _rank(result.node_id, node_order)))


def _rank(node_id: str, node_order: Sequence[str]) -> tuple[bool, tuple[int, ...]]:
    """Numbers as numbers (`57:9` is a node inside a subgraph), names after them as in the graph."""
    parts = node_id.split(":")
    if all(part.isascii() and part.isdigit() for part in parts):
        return False, tuple(map(int, parts))
    return True, (node_order.index(node_id) if node_id in node_order else len(node_order),)
