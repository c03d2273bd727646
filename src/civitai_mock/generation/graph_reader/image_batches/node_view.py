"""What a rule about sizes sees of a node: its settings, and the images that reach it."""

from collections.abc import Callable
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches.batch import (
    DEFAULT_SIDE,
    UNKNOWN,
    ImageBatch,
    Load,
    Loaded,
)
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """Shows one output of a node; `batch_at` has what reaches the node over a link."""

    nodes: Nodes
    node_id: str
    output: int
    batch_at: Callable[[Link], ImageBatch]
    load: Load

    def has(self, name: str) -> bool:
        return self.nodes.link(self.node_id, name) is not None

    def batch(self, *names: str) -> ImageBatch:
        """Return the images that the first linked one of these inputs is given."""
        inputs = self.nodes.inputs(self.node_id)
        links = (self.nodes.link(self.node_id, name) for name in names if name in inputs)
        link = next((link for link in links if link is not None), None)
        return UNKNOWN if link is None else self.batch_at(link)

    @property
    def size(self) -> tuple[int, int]:
        """Return the size that the inputs `width` and `height` give."""
        return self.whole("width", DEFAULT_SIDE), self.whole("height", DEFAULT_SIDE)

    def whole(self, name: str, otherwise: int) -> int:
        """Return the whole number of an input, measured where it is linked to GetImageSize."""
        value = whole(self.nodes.value(self.node_id, name))
        if value is not None:
            return value
        link = self.nodes.link(self.node_id, name)
        if link is None or self.nodes.class_type(link.node_id) != "GetImageSize":
            return otherwise
        return self.batch_at(link).measure(link.output)

    def real(self, name: str, otherwise: float) -> float:
        number = real(self.nodes.value(self.node_id, name))
        return otherwise if number is None else number

    def text(self, name: str) -> str:
        return as_text(self.nodes.value(self.node_id, name))

    def loaded(self, name: str) -> Loaded | None:
        """Return what is known of the file that an input names."""
        return self.load(self.text(name))

    def loaded_batch(self, name: str) -> ImageBatch:
        loaded = self.loaded(name)
        return loaded.batch if loaded else UNKNOWN


# What an output of a node gives out.
Rule: TypeAlias = Callable[[NodeView], ImageBatch]


def kept(*names: str) -> Rule:
    """Return the rule of nodes that change neither size nor number."""
    return lambda view: view.batch(*names)
