"""Size and number of the pictures as they pass through a node, by the names of its inputs."""

from dataclasses import replace

from civitai_mock.generation.reading.facts import Frame
from civitai_mock.generation.reading.nodes import Nodes, real, whole

LATENT_CELL = 8
SIZING = frozenset({"width", "height", "scale_by", "upscale_model", "vae"})
COUNTING = frozenset({"batch_size", "amount", "batch_index", "length"})
UPSCALE_FACTOR = 4  # what nearly every upscaling model does
MOST = 2**20  # more than may be drawn, and little enough to go on counting with


def framed(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    """What a node makes of the pictures that reach it."""
    return _counted(nodes, node_id, _sized(nodes, node_id, before))


def _sized(nodes: Nodes, node_id: str, before: Frame) -> Frame:
    if SIZING.isdisjoint(nodes.inputs(node_id)):
        return before
    width, height = (whole(nodes.value(node_id, name)) or 0 for name in ("width", "height"))
    if width or height:  # one that is 0 follows from the other
        width = width or round(before.width * height / before.height)
        height = height or round(before.height * width / before.width)
    else:
        factor = real(nodes.value(node_id, "scale_by")) or 1.0
        if nodes.linked(node_id, ("upscale_model",)):
            factor *= UPSCALE_FACTOR
        width, height = round(before.width * factor), round(before.height * factor)
    if "vae" in nodes.inputs(node_id):  # into or out of latent space, which knows no smaller cells
        width, height = width // LATENT_CELL * LATENT_CELL, height // LATENT_CELL * LATENT_CELL
    return replace(before, width=_within(width), height=_within(height))


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
