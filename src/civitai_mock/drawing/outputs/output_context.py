"""The context of an output node, which gives it the graph's images, its own inputs, and the texts for its files."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from PIL import Image

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_text
from civitai_mock.drawing.pixels.graph_images import GraphImages
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.nodes import Nodes, real
from civitai_mock.generation.graph_reader.outputs import OUTPUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputContext:
    """Holds one output node, and the texts that belong into its files: the graph, and whatever a client added."""

    images: GraphImages
    node_id: str
    texts: Mapping[str, str]
    input: str = ""

    @property
    def nodes(self) -> Nodes:
        return self.images.nodes

    @property
    def link(self) -> Link:
        """Return what the node is given; the node itself where that is not a link."""
        class_type = self.nodes.class_type(self.node_id)
        name = self.input or (OUTPUTS[class_type].input if class_type in OUTPUTS else "")
        return self.nodes.link(self.node_id, name) or Link(self.node_id, 0)

    @property
    def batch(self) -> ImageBatch:
        return self.images.batch(self.link)

    def image(self, index: int) -> Image.Image:
        return self.images.image(self.link, index)

    def real(self, name: str, otherwise: float) -> float:
        number = real(self.nodes.value(self.node_id, name))
        return otherwise if number is None else number

    def text(self, name: str) -> str:
        return as_text(self.nodes.value(self.node_id, name))


# Each makes one file; it is called in a thread when the file is needed.
Files: TypeAlias = Sequence[Callable[[], bytes]]
