"""A graph: a complete ComfyUI node map in API format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from civitai_mock.domain.json_types import Json, JsonObject

Graph: TypeAlias = dict[str, JsonObject]


MOST_OUTPUTS = 2**16


class Link(NamedTuple):
    """An output of a node; on the wire it is a list of two."""

    node_id: str
    output: int

    @classmethod
    def of(cls, value: Json) -> "Link | None":
        """None for what is not a link."""
        if not isinstance(value, list) or len(value) != 2:
            return None
        node_id, output = value
        if not isinstance(node_id, str) or isinstance(output, bool) or not isinstance(output, int | float):
            return None
        return cls(node_id, int(output) if abs(output) < MOST_OUTPUTS else 0)


Value: TypeAlias = "Json | Link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`title` says what a node is for where its class does not."""

    class_type: str
    inputs: Mapping[str, Value]
    title: str = ""

    @property
    def wire(self) -> JsonObject:
        """With the `_meta` of capture comfy-graph-sdxl-worker, which is empty for a node without title."""
        inputs: JsonObject = {
            name: list(value) if isinstance(value, Link) else value for name, value in self.inputs.items()
        }
        return {"class_type": self.class_type, "inputs": inputs, "_meta": {"title": self.title} if self.title else {}}
