"""What the operation of a node is given: the node's settings, and the images that reach it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from PIL import Image

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView

Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImages:
    """Gives an operation what it needs to make the image at `index`; a mask is an image of one channel, 255 for 1.0."""

    view: NodeView
    index: int
    batch: ImageBatch
    image_at: Callable[[Link, int], Image.Image]
    file: Callable[[str], Sequence[Image.Image] | None]

    @property
    def size(self) -> Size:
        return self.batch.width, self.batch.height

    def count(self, name: str) -> int:
        return self.view.batch(name).count

    def image(self, name: str, index: int | None = None) -> Image.Image:
        """Return an input's image at `index`, or at the same index as the output; a shorter batch begins anew."""
        link = self.view.nodes.link(self.view.node_id, name)
        if link is None:
            return Image.new("RGB", self.size)
        wanted = self.index if index is None else index
        return self.image_at(link, wanted % self.view.batch(name).count)

    def colours(self, name: str, index: int | None = None) -> Image.Image:
        return self.image(name, index).convert("RGB")

    def mask(self, name: str) -> Image.Image:
        return self.image(name).convert("L")


Operation: TypeAlias = Callable[[NodeImages], Image.Image]
