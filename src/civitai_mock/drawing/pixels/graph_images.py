"""The images at any place of a graph, each computed or drawn when it is asked for."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.drawing.pixels import batches, colours, masks, scaling
from civitai_mock.drawing.pixels.files import images_of, loaded_file
from civitai_mock.drawing.pixels.node_images import NodeImages, Operation
from civitai_mock.drawing.pixels.scaling import scaled
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import ImageBatches
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch, Loaded
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import FILE_INPUTS, image_source, is_drawn, read_output

# Returns the bytes of a file by the name that a graph has for it; None for an unknown one.
ReadFile: TypeAlias = Callable[[str], bytes | None]

OPERATIONS: Mapping[str, Operation] = {
    **scaling.OPERATIONS,
    **batches.OPERATIONS,
    **colours.OPERATIONS,
    **masks.OPERATIONS,
}
NO_TEXTS: Mapping[str, str] = {}


class StoppedError(Exception):
    """Says that nobody waits for these images any more."""


class _NeededFirst(Exception):  # noqa: N818 - not a fault
    """Says that an operation needs an image that has not been made yet."""

    def __init__(self, place: tuple[Link, int]) -> None:
        super().__init__(place)
        self.place = place


class GraphImages:
    """Computes what plain image nodes make of loaded images; images that samplers make are drawn with `draw`."""

    def __init__(self, nodes: Nodes, *, read: ReadFile, draw: Draw) -> None:
        self.nodes = nodes
        self.batches = ImageBatches(nodes, load=self._load)
        self.read = read
        self._draw = draw
        self._loaded: dict[str, Loaded | None] = {}
        self._files: dict[str, Sequence[Image.Image] | None] = {}
        self._made: dict[tuple[Link, int], Image.Image] = {}
        self._is_stopped = False

    def stop(self) -> None:
        """Give up at the next image, with `StoppedError`; another thread may call this."""
        self._is_stopped = True

    @property
    def reads_files(self) -> bool:
        return any(self.nodes.class_type(node_id) in FILE_INPUTS for node_id in self.nodes)

    def batch(self, link: Link) -> ImageBatch:
        return self.batches.at(link)

    def png(self, link: Link, index: int, texts: Mapping[str, str]) -> bytes:
        """Return an image as a PNG file, RGB or RGBA."""
        self._check_stopped()
        if is_drawn(self.nodes, link, self._load):
            return self._draw(read_output(self.nodes, link, self.batches), index, texts)
        return encode_image(self.image(link, index), texts)

    def image(self, link: Link, index: int) -> Image.Image:
        """Return an image as RGB or RGBA, or as L for a mask. However deep the graph is, nothing recurses."""
        self._check_stopped()
        self._made.clear()
        waiting = {(link, index): None}
        while waiting:
            place = next(reversed(waiting))
            try:
                self._made[place] = self._make(*place)
                del waiting[place]
            except _NeededFirst as needed:
                if needed.place in waiting:
                    raise RuntimeError(f"node {place[0].node_id} waits for itself") from needed
                waiting[needed.place] = None
        return self._made[link, index]

    def _check_stopped(self) -> None:
        if self._is_stopped:
            raise StoppedError

    def _make(self, link: Link, index: int) -> Image.Image:
        if is_drawn(self.nodes, link, self._load):
            return _opened(self._draw(read_output(self.nodes, link, self.batches), index, NO_TEXTS))
        node = self._node_images(link, index)
        operation = OPERATIONS.get(self.nodes.class_type(link.node_id))
        return operation(node) if operation else scaled(self._passed_on(link, index), node.size)

    def _node_images(self, link: Link, index: int) -> NodeImages:
        view = NodeView(
            nodes=self.nodes, node_id=link.node_id, output=link.output, batch_at=self.batches.at, load=self._load
        )
        return NodeImages(
            view=view, index=index, batch=self.batches.at(link), image_at=self._made_image, file=self._images_of
        )

    def _made_image(self, link: Link, index: int) -> Image.Image:
        if (link, index) not in self._made:
            raise _NeededFirst((link, index))
        return self._made[link, index]

    def _passed_on(self, link: Link, index: int) -> Image.Image:
        """Hand on the image that a node of another pack was given."""
        source = image_source(self.nodes, link)
        return self._made_image(source, index % self.batches.at(source).count) if source else Image.new("RGB", (1, 1))

    def _load(self, name: str) -> Loaded | None:
        if name not in self._loaded:
            content = self.read(name)
            self._loaded[name] = None if content is None else loaded_file(content)
        return self._loaded[name]

    def _images_of(self, name: str) -> Sequence[Image.Image] | None:
        if name not in self._files:
            content = self.read(name)
            self._files[name] = None if content is None else images_of(content)
        return self._files[name]


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def encode_image(image: Image.Image, texts: Mapping[str, str]) -> bytes:
    """Return an image as a PNG file, RGB or RGBA."""
    chunks = PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    file = io.BytesIO()
    converted = image if image.mode == "RGBA" else image.convert("RGB")
    converted.save(file, "PNG", pnginfo=chunks, compress_level=1)
    return file.getvalue()
