"""Size and number of the images at every place of a graph: what was loaded counts, along all of its paths.

Each module has the rules for some of ComfyUI's own nodes, by the class of a node; other nodes are taken at the names
of their inputs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import batches, images, latents, videos
from civitai_mock.generation.graph_reader.image_batches.batch import UNKNOWN, ImageBatch, Load, nothing_known
from civitai_mock.generation.graph_reader.image_batches.images import upscale_factor
from civitai_mock.generation.graph_reader.image_batches.node_view import NodeView, Rule
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole
from civitai_mock.generation.graph_reader.samplers import IMAGE_INPUTS

RULES: Mapping[str, Rule] = {**batches.RULES, **images.RULES, **latents.RULES, **videos.RULES}
# Classes of nodes for whose images a drawing stands in, as a model would make them.
MADE_BY_MODELS = latents.MADE_BY_MODELS | videos.MADE_BY_MODELS

LATENT_INPUTS = frozenset({"vae", "latent_image"})  # of nodes that work in latent space, or lead there or back
SIZING = LATENT_INPUTS | {"width", "height", "scale_by", "upscale_model"}
COUNTING = frozenset({"batch_size", "amount", "batch_index", "length"})
OF_INTEREST = SIZING.union(COUNTING, IMAGE_INPUTS)


class ImageBatches:
    """Works out each output of a node once, without calls within calls: graphs may be deep."""

    def __init__(self, nodes: Nodes, *, load: Load = nothing_known) -> None:
        self._nodes = nodes
        self.load = load
        self._outputs: dict[str, set[int]] = {}
        self._batches: dict[Link, ImageBatch] = {}
        for node_id in nodes:
            for link in nodes.links(node_id):
                self._outputs.setdefault(link.node_id, set()).add(link.output)

    def at(self, link: Link) -> ImageBatch:
        """Return the images at an output, or that an output node shows; a guess where links lead nowhere."""
        if link not in self._batches:
            self._outputs.setdefault(link.node_id, set()).add(link.output)
            for node_id in self._from_the_top(link.node_id):
                for output in self._outputs.get(node_id, ()):
                    self._batches[Link(node_id, output)] = self._work_out(node_id, output)
        return self._batches[link]

    def _from_the_top(self, node_id: str) -> Iterator[str]:
        """Yield a node after all that is above it."""
        waiting, seen = [(node_id, False)], set[str]()
        while waiting:
            name, is_last = waiting.pop()
            if is_last:
                yield name
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(source, False) for source in self._nodes.sources(name) if source not in seen]

    def _work_out(self, node_id: str, output: int) -> ImageBatch:
        rule = RULES.get(self._nodes.class_type(node_id), by_input_names)
        if rule is by_input_names and not self._is_of_interest(node_id):
            return UNKNOWN
        return rule(
            NodeView(nodes=self._nodes, node_id=node_id, output=output, batch_at=self._known, load=self.load),
        )

    def _is_of_interest(self, node_id: str) -> bool:
        """Most nodes have nothing to do with images."""
        is_named = not OF_INTEREST.isdisjoint(self._nodes.inputs(node_id))
        return is_named or any(self._known(link) is not UNKNOWN for link in self._nodes.links(node_id))

    def _known(self, link: Link) -> ImageBatch:
        return self._batches.get(link, UNKNOWN)


def by_input_names(view: NodeView) -> ImageBatch:
    """Tell what a node gives out that is not one of ComfyUI's own."""
    inputs = view.nodes.inputs(view.node_id)
    return _counted(view, _sized(view, view.batch(*IMAGE_INPUTS, *inputs)))


def _sized(view: NodeView, before: ImageBatch) -> ImageBatch:
    inputs = view.nodes.inputs(view.node_id)
    if SIZING.isdisjoint(inputs):
        return before
    batch = _resized(view, before)
    return batch if LATENT_INPUTS.isdisjoint(inputs) else batch.in_cells(batch.width, batch.height)


def _resized(view: NodeView, before: ImageBatch) -> ImageBatch:
    width, height = (max(view.whole(name, 0), 0) for name in ("width", "height"))
    if width and height:
        return before.known.resized(width, height)
    if width or height:  # the one that is 0 follows from the other
        width = width or round(before.width * height / before.height)
        return before.resized(width, height or round(before.height * width / before.width))
    factor = real(view.nodes.value(view.node_id, "scale_by")) or 1.0
    if view.has("upscale_model"):
        factor *= upscale_factor(view)
        before = replace(before, guessed=True)
    return before.scaled(factor)


def _counted(view: NodeView, before: ImageBatch) -> ImageBatch:
    if COUNTING.isdisjoint(view.nodes.inputs(view.node_id)):
        return before
    batch, amount, index, length = (
        whole(view.nodes.value(view.node_id, name)) for name in ("batch_size", "amount", "batch_index", "length")
    )
    if batch is not None:
        return before.counted(batch)
    if amount is not None:
        return before.counted(before.count * amount)
    return before if index is None or length is None else before.taken(index, length)
