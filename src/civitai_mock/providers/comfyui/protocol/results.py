"""What a prompt made, in the order in which its pictures are counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from civitai_mock.generation.graph_reader.outputs import output_rank
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
    return tuple(sorted(kept or results, key=lambda result: output_rank(result.node_id, node_order)))
