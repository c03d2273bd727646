"""What a rule about sizes sees of a node."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from civitai_mock.domain.images import LATENT_CELL
from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.facts import ImageBatch
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole

MOST = 2**20  # more than may be drawn, and little enough to go on counting with
UNKNOWN = ImageBatch(guessed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the bytes of a file that a graph reads tell; `names` are several files that are read as one batch."""

    width: int
    height: int
    count: int = 1
    has_alpha: bool = False

    @property
    def frame(self) -> ImageBatch:
        return ImageBatch(width=self.width, height=self.height, count=self.count)


# By the name that a graph has for a file, of which None is known.
Load: TypeAlias = Callable[[str], Loaded | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One output of a node; `frame_of` is what reaches it over a link."""

    nodes: Nodes
    node_id: str
    output: int
    frame_of: Callable[[Link], ImageBatch]
    load: Load

    def has(self, name: str) -> bool:
        return self.nodes.link(self.node_id, name) is not None

    def frame(self, *names: str) -> ImageBatch:
        """Return the frame of the first of these inputs that is linked."""
        inputs = self.nodes.inputs(self.node_id)
        links = (self.nodes.link(self.node_id, name) for name in names if name in inputs)
        link = next((link for link in links if link is not None), None)
        return UNKNOWN if link is None else self.frame_of(link)

    def whole(self, name: str, otherwise: int) -> int:
        return self._measured(name, whole(self.nodes.value(self.node_id, name)), otherwise)

    def real(self, name: str, otherwise: float) -> float:
        number = real(self.nodes.value(self.node_id, name))
        return otherwise if number is None else number

    def text(self, name: str) -> str:
        return as_text(self.nodes.value(self.node_id, name))

    def loaded(self, name: str) -> Loaded | None:
        return self.load(self.text(name))

    def _measured(self, name: str, value: int | None, otherwise: int) -> int:
        """A link to GetImageSize is measured, too."""
        if value is not None:
            return value
        link = self.nodes.link(self.node_id, name)
        if link is None or self.nodes.class_type(link.node_id) != "GetImageSize":
            return otherwise
        return self.frame_of(link).measure(link.output)


def sized(before: ImageBatch, width: float, height: float) -> ImageBatch:
    return replace(before, width=within(width), height=within(height))


def counted(before: ImageBatch, count: float) -> ImageBatch:
    return replace(before, count=within(count))


def in_cells(before: ImageBatch, width: float, height: float, *, cell: int = LATENT_CELL) -> ImageBatch:
    """Give a size in latent space, which knows whole cells only."""
    return sized(before, max(int(width) // cell, 1) * cell, max(int(height) // cell, 1) * cell)


def within(number: float) -> int:
    return min(max(int(number), 1), MOST)


def kept(*names: str) -> Callable[[NodeView], ImageBatch]:
    """The rule of nodes that change neither size nor number."""
    return lambda sight: sight.frame(*names)
