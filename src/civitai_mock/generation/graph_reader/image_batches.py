"""Size and number of the images at every place of a graph: what was loaded counts, along all of its paths."""

from collections.abc import Iterator
from dataclasses import replace

from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.facts import ImageBatch
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole
from civitai_mock.generation.graph_reader.samplers import IMAGE_INPUTS
from civitai_mock.generation.graph_reader.sizes import RULES
from civitai_mock.generation.graph_reader.sizes.images import upscale_factor
from civitai_mock.generation.graph_reader.sizes.node_view import (
    UNKNOWN,
    Load,
    Loaded,
    NodeView,
    counted,
    in_cells,
    sized,
)

LATENT_INPUTS = frozenset({"vae", "latent_image"})  # of nodes that work in latent space, or lead there or back
SIZING = LATENT_INPUTS | {"width", "height", "scale_by", "upscale_model"}
COUNTING = frozenset({"batch_size", "amount", "batch_index", "length"})
OF_INTEREST = SIZING.union(COUNTING, IMAGE_INPUTS)


def nothing_known(name: str) -> Loaded | None:  # noqa: ARG001 - of whatever name
    return None


class ImageBatches:
    """Works out each output of a node once, without calls within calls: graphs may be deep."""

    def __init__(self, nodes: Nodes, *, load: Load = nothing_known) -> None:
        self._nodes = nodes
        self.load = load
        self._outputs: dict[str, set[int]] = {}
        self._frames: dict[Link, ImageBatch] = {}
        for node_id in nodes:
            for link in nodes.links(node_id):
                self._outputs.setdefault(link.node_id, set()).add(link.output)

    def of(self, link: Link) -> ImageBatch:
        """A guess where links lead nowhere or in a circle; of an output node what it shows."""
        if link not in self._frames:
            self._outputs.setdefault(link.node_id, set()).add(link.output)
            for node_id in self._from_the_top(link.node_id):
                for output in self._outputs.get(node_id, ()):
                    self._frames[Link(node_id, output)] = self._worked_out(node_id, output)
        return self._frames[link]

    def _from_the_top(self, node_id: str) -> Iterator[str]:
        """What is above a node before the node itself."""
        waiting, seen = [(node_id, False)], set[str]()
        while waiting:
            name, is_last = waiting.pop()
            if is_last:
                yield name
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(source, False) for source in self._nodes.sources(name) if source not in seen]

    def _worked_out(self, node_id: str, output: int) -> ImageBatch:
        rule = RULES.get(self._nodes.class_type(node_id), by_input_names)
        if rule is by_input_names and not self._is_of_interest(node_id):
            return UNKNOWN
        sight = NodeView(nodes=self._nodes, node_id=node_id, output=output, frame_of=self._known, load=self.load)
        return rule(sight)

    def _is_of_interest(self, node_id: str) -> bool:
        """Most nodes have nothing to do with images."""
        is_named = not OF_INTEREST.isdisjoint(self._nodes.inputs(node_id))
        return is_named or any(self._known(link) is not UNKNOWN for link in self._nodes.links(node_id))

    def _known(self, link: Link) -> ImageBatch:
        return self._frames.get(link, UNKNOWN)


def by_input_names(sight: NodeView) -> ImageBatch:
    """Nodes that are not ComfyUI's own are taken at the names of their inputs."""
    return _counted(sight, _sized(sight, sight.frame(*IMAGE_INPUTS, *sight.nodes.inputs(sight.node_id))))


def _sized(sight: NodeView, before: ImageBatch) -> ImageBatch:
    inputs = sight.nodes.inputs(sight.node_id)
    if SIZING.isdisjoint(inputs):
        return before
    frame = _resized(sight, before)
    return frame if LATENT_INPUTS.isdisjoint(inputs) else in_cells(frame, frame.width, frame.height)


def _resized(sight: NodeView, before: ImageBatch) -> ImageBatch:
    width, height = (max(sight.whole(name, 0), 0) for name in ("width", "height"))
    if width and height:
        return sized(before.known, width, height)
    if width or height:  # the one that is 0 follows from the other
        width = width or round(before.width * height / before.height)
        return sized(before, width, height or round(before.height * width / before.width))
    factor = real(sight.nodes.value(sight.node_id, "scale_by")) or 1.0
    if sight.has("upscale_model"):
        factor *= upscale_factor(sight)
        before = replace(before, guessed=True)
    return sized(before, round(before.width * factor), round(before.height * factor))


def _counted(sight: NodeView, before: ImageBatch) -> ImageBatch:
    if COUNTING.isdisjoint(sight.nodes.inputs(sight.node_id)):
        return before
    batch, amount, index, length = (
        whole(sight.nodes.value(sight.node_id, name)) for name in ("batch_size", "amount", "batch_index", "length")
    )
    if batch is not None:
        return counted(before, batch)
    if amount is not None:
        return counted(before, before.count * amount)
    if index is not None and length is not None:
        skipped = min(max(index, 0), before.count - 1)
        return counted(before, min(max(length, 1), before.count - skipped)).skipping(skipped)
    return before
