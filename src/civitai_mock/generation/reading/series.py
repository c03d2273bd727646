"""Read facts from any API-format graph, by the names of inputs rather than of nodes.

So a user's own graph, with other ids and other samplers, is read as well as one that this server built.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from civitai_mock.generation.graph import Link
from civitai_mock.generation.reading.drawn import above, is_drawn
from civitai_mock.generation.reading.facts import Sampled, Series
from civitai_mock.generation.reading.frames import Frames, nothing_known
from civitai_mock.generation.reading.nodes import Nodes, text
from civitai_mock.generation.reading.order import output_rank
from civitai_mock.generation.reading.outputs import OUTPUTS, result_count
from civitai_mock.generation.reading.passes import sampled_at, samples
from civitai_mock.generation.reading.sizes.sight import Load


def read_series(nodes: Nodes, *, load: Load = nothing_known) -> Sequence[Series]:
    """One for each output node: numbers in their order, then names in the graph's."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUTS]
    ordered = sorted(outputs, key=lambda node_id: output_rank(node_id, outputs))
    frames = Frames(nodes, load=load)
    return [read_one(nodes, Link(node_id, 0), frames) for node_id in ordered]


def read_one(nodes: Nodes, link: Link, frames: Frames) -> Series:
    """What one output of a node gives out, or what an output node shows."""
    class_type, frame = nodes.class_type(link.node_id), frames.of(link)
    path, output = list(_way_of_the_pixels(nodes, link))[::-1], OUTPUTS.get(class_type)
    passes: list[Sampled] = []
    upscaler = ""
    effort: dict[str, float] = {}
    for place in path:
        step, here = place.node_id, frames.of(place)
        upscaler = _upscaler(nodes, step) or upscaler
        if samples(nodes.inputs(step)):
            width, height = (0, 0) if here.guessed else (here.width, here.height)
            sampled = replace(sampled_at(nodes, step), upscaler=upscaler, width=width, height=height)
            upscaler = ""
            passes.append(sampled)
            effort[step] = sampled.steps_taken * sampled.denoise * here.megapixels
    return Series(
        node_id=link.node_id,
        is_preview=output is not None and output.is_temp,
        results=result_count(class_type, frame.count),
        suffix=output.suffix if output else "",
        is_drawn=is_drawn(nodes, link, frames.load),
        frame=frame,
        passes=tuple(passes),
        source=text(nodes.inputs(path[0].node_id).get("image")),
        vae=next((vae for place in reversed(path) if (vae := _vae(nodes, place.node_id))), ""),
        upscaler=upscaler,
        effort=effort,
    )


def _way_of_the_pixels(nodes: Nodes, link: Link) -> Iterator[Link]:
    """Follow an output up to where its pixels begin."""
    seen: set[str] = set()
    place: Link | None = link
    while place is not None and place.node_id not in seen:
        yield place
        seen.add(place.node_id)
        place = above(nodes, place)


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
