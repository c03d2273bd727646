"""What a node's operation sees: its settings, and the images that reach it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image

from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.facts import ImageBatch
from civitai_mock.generation.graph_reader.sizes.node_view import NodeView

Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImages:
    """`index` is the place of the image that is asked for; masks are images of one channel, 255 for 1.0."""

    sight: NodeView
    index: int
    frame: ImageBatch
    image_at: Callable[[Link, int], Image.Image]
    file: Callable[[str], Sequence[Image.Image] | None]

    @property
    def size(self) -> Size:
        return self.frame.width, self.frame.height

    def count(self, name: str) -> int:
        return self.sight.frame(name).count

    def image(self, name: str, index: int | None = None) -> Image.Image:
        """The one at the same place; a shorter batch begins anew."""
        link = self.sight.nodes.link(self.sight.node_id, name)
        if link is None:
            return Image.new("RGB", self.size)
        wanted = self.index if index is None else index
        return self.image_at(link, wanted % self.sight.frame(name).count)

    def colours(self, name: str, index: int | None = None) -> Image.Image:
        return self.image(name, index).convert("RGB")

    def mask(self, name: str) -> Image.Image:
        return self.image(name).convert("L")


Operation: TypeAlias = Callable[[NodeImages], Image.Image]
