"""Read facts from any API-format graph, by the names of inputs rather than of nodes.

So a user's own graph, with other ids and other samplers, is read as well as one that this server built.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from civitai_mock.generation.reading.facts import Frame, Sampled, Series
from civitai_mock.generation.reading.frames import framed
from civitai_mock.generation.reading.nodes import Nodes, text
from civitai_mock.generation.reading.order import output_rank
from civitai_mock.generation.reading.passes import PICTURE_INPUTS, sampled_at, samples

PREVIEW_CLASS = "PreviewImage"
OUTPUT_CLASSES = frozenset({"SaveImage", "SaveImageWebsocket", PREVIEW_CLASS})


def read_series(nodes: Nodes) -> Sequence[Series]:
    """One for each output node: numbers in their order, then names in the graph's."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUT_CLASSES]
    ordered = sorted(outputs, key=lambda node_id: output_rank(node_id, outputs))
    return [read_one(nodes, node_id) for node_id in ordered]


def read_one(nodes: Nodes, node_id: str) -> Series:
    """What one node gives out, whatever its class."""
    path = list(_way_of_the_pixels(nodes, node_id))[::-1]
    frame = Frame(guessed=True)
    passes: list[Sampled] = []
    upscaler = ""
    effort: dict[str, float] = {}
    for step in path:
        frame = framed(nodes, step, frame)
        upscaler = _upscaler(nodes, step) or upscaler
        if samples(nodes.inputs(step)):
            width, height = (0, 0) if frame.guessed else (frame.width, frame.height)
            sampled = replace(sampled_at(nodes, step), upscaler=upscaler, width=width, height=height)
            upscaler = ""
            passes.append(sampled)
            effort[step] = sampled.steps_taken * sampled.denoise * frame.megapixels
    source = text(nodes.inputs(path[0]).get("image"))
    return Series(
        node_id=node_id,
        is_preview=nodes.class_type(node_id) == PREVIEW_CLASS,
        frame=frame,
        passes=tuple(passes),
        source=source,
        vae=next((vae for step in reversed(path) if (vae := _vae(nodes, step))), ""),
        upscaler=upscaler,
        effort=effort,
    )


def _way_of_the_pixels(nodes: Nodes, node_id: str) -> Iterator[str]:
    """From an output node up to where its pixels begin."""
    seen: set[str] = set()
    step: str | None = node_id
    while step is not None and step not in seen:
        yield step
        seen.add(step)
        step = nodes.linked(step, PICTURE_INPUTS)


def _upscaler(nodes: Nodes, node_id: str) -> str:
    """What makes pictures, or latents, larger at this node."""
    model = nodes.linked(node_id, ("upscale_model",))
    if model is not None:
        return text(nodes.value(model, "model_name"))
    method = text(nodes.value(node_id, "upscale_method"))
    return f"Latent ({method})" if method and nodes.linked(node_id, ("samples",)) else ""


def _vae(nodes: Nodes, node_id: str) -> str:
    vae = nodes.linked(node_id, ("vae",))
    return "" if vae is None else text(nodes.value(vae, "vae_name"))
