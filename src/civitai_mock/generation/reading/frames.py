"""Size and number of the pictures as they pass through a node, by the names of its inputs."""

from dataclasses import replace

from civitai_mock.generation.reading.facts import Frame
from civitai_mock.generation.reading.nodes import Nodes, real, whole
from civitai_mock.generation.size import LATENT_CELL

LATENT_INPUTS = frozenset({"vae", "latent_image"})  # of nodes that work in latent space, or lead there or back
SIZING = LATENT_INPUTS | {"width", "height", "scale_by", "upscale_model"}
COUNTING = frozenset({"batch_size", "amount", "batch_index", "length"})
UPSCALE_FACTOR = 4  # what nearly every upscaling model does
MOST = 2**20  # more than may be drawn, and little enough to go on counting with


def framed(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    """What a node makes of the pictures that reach it."""
    return _counted(nodes, node_id, _sized(nodes, node_id, before))


def _sized(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    if SIZING.isdisjoint(nodes.inputs(node_id)):
        return before
    frame = _resized(nodes, node_id, before)
    cell = 1 if LATENT_INPUTS.isdisjoint(nodes.inputs(node_id)) else LATENT_CELL
    return replace(frame, width=_within(frame.width // cell * cell), height=_within(frame.height // cell * cell))


def _resized(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    width, height = (whole(nodes.value(node_id, name)) or 0 for name in ("width", "height"))
    if width and height:
        return replace(before, width=width, height=height, guessed=False)
    if width or height:  # the one that is 0 follows from the other
        width = width or round(before.width * height / before.height)
        height = height or round(before.height * width / before.width)
        return replace(before, width=width, height=height)
    factor = real(nodes.value(node_id, "scale_by")) or 1.0
    enlarged = nodes.linked(node_id, ("upscale_model",)) is not None
    if enlarged:
        factor *= UPSCALE_FACTOR
    width, height = round(before.width * factor), round(before.height * factor)
    return replace(before, width=width, height=height, guessed=before.guessed or enlarged)


def _counted(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    if COUNTING.isdisjoint(nodes.inputs(node_id)):
        return before
    batch, amount, index, length = (
        whole(nodes.value(node_id, name)) for name in ("batch_size", "amount", "batch_index", "length")
    )
    if batch is not None:
        return replace(before, count=_within(batch))
    if amount is not None:
        return replace(before, count=_within(before.count * amount))
    if index is not None and length is not None:
        skipped = min(max(index, 0), before.count - 1)
        count = min(max(length, 1), before.count - skipped)
        return replace(before, count=count, first=before.first + skipped)
    return before


def _within(number: int) -> int:
    return min(max(number, 1), MOST)
