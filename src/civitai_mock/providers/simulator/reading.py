"""Read facts from any API-format graph, by the names of inputs rather than of nodes.

So a user's own graph, with other ids and other samplers, is read as well as one that this server built.
"""

from collections.abc import Iterator, Sequence

from civitai_mock.providers.simulator.facts import Frame, Lora, Sampled, Series
from civitai_mock.providers.simulator.frames import framed
from civitai_mock.providers.simulator.nodes import Inputs, Nodes, real, text, whole

PREVIEW_CLASS = "PreviewImage"
OUTPUT_CLASSES = frozenset({"SaveImage", "SaveImageWebsocket", PREVIEW_CLASS})
PICTURE_INPUTS = ("samples", "latent_image", "latent", "pixels", "images", "image", "image1")
TEXT_INPUTS = ("text", "text_g", "text_l", "t5xxl", "clip_g", "clip_l")
SAMPLER_INPUTS = frozenset(
    {"seed", "noise_seed", "steps", "cfg", "guidance", "denoise", "sampler_name", "scheduler", "ckpt_name", "unet_name"}
)
BESIDE_MODEL = frozenset({*PICTURE_INPUTS, "positive", "negative", "conditioning", "clip", "vae"})
BESIDE_SAMPLER = frozenset({*PICTURE_INPUTS, "negative", "clip", "vae", "control_net", "mask"})
BESIDE_TEXT = frozenset({*PICTURE_INPUTS, "model", "clip", "vae", "control_net", "mask"})
CLASS_WITHOUT_TEXT = "ConditioningZeroOut"


def read_series(nodes: Nodes) -> Sequence[Series]:
    """One for each output node: numbers in their order, then names in the graph's."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUT_CLASSES]
    return [_series(nodes, node_id) for node_id in sorted(outputs, key=_rank)]


def _rank(node_id: str) -> tuple[bool, Sequence[int]]:
    """`57:9` is a node inside a subgraph."""
    parts = node_id.split(":")
    numbered = len(node_id) < 20 and all(part.isascii() and part.isdigit() for part in parts)
    return (False, [int(part) for part in parts]) if numbered else (True, [])


def _series(nodes: Nodes, node_id: str) -> Series:
    path = list(_way_of_the_pixels(nodes, node_id))[::-1]
    frame = Frame()
    passes: list[Sampled] = []
    effort: dict[str, float] = {}
    for step in path:
        frame = framed(nodes, step, frame)
        if _samples(nodes.inputs(step)):
            sampled = _sampled(nodes, step)
            passes.append(sampled)
            effort[step] = _steps_done(nodes.inputs(step), sampled) * frame.megapixels
    source = text(nodes.inputs(path[0]).get("image"))
    return Series(
        node_id=node_id,
        is_preview=nodes.class_type(node_id) == PREVIEW_CLASS,
        frame=frame,
        passes=tuple(passes),
        source=source,
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


def _samples(inputs: Inputs) -> bool:
    return "latent_image" in inputs and ("steps" in inputs or "sigmas" in inputs)


def _sampled(nodes: Nodes, node_id: str) -> Sampled:
    found = nodes.nearest(node_id, SAMPLER_INPUTS, skip=BESIDE_SAMPLER)
    seed = whole(found.get("seed", found.get("noise_seed")))
    denoise = real(found.get("denoise"))
    guider = nodes.linked(node_id, ("guider",)) or node_id
    return Sampled(
        seed=seed or 0,
        steps=whole(found.get("steps")) or 0,
        cfg=real(found.get("cfg")),
        guidance=real(found.get("guidance")),
        denoise=1.0 if denoise is None else min(max(denoise, 0.0), 1.0),
        sampler=text(found.get("sampler_name")),
        noise_schedule=text(found.get("scheduler")),
        prompt_text=_words(nodes, nodes.linked(guider, ("positive", "conditioning", "cond1")), other="negative"),
        negative_text=_words(nodes, nodes.linked(guider, ("negative",)), other="positive"),
        model=text(found.get("ckpt_name")) or text(found.get("unet_name")),
        loras=_loras(nodes, guider),
    )


def _words(nodes: Nodes, start: str | None, *, other: str) -> str:
    """What the text encoders above a conditioning were given; `other` is the role that is not followed."""
    found: dict[str, None] = {}
    for node_id in nodes.upstream(start, skip=BESIDE_TEXT | {other}, stop=CLASS_WITHOUT_TEXT):
        for name in TEXT_INPUTS:
            words = text(nodes.value(node_id, name)).strip()
            if words:
                found[words] = None
    return ", ".join(found)


def _loras(nodes: Nodes, start: str) -> tuple[Lora, ...]:
    """In the order of their chain, the one next to the checkpoint first."""
    chain = [node_id for node_id in nodes.upstream(start, skip=BESIDE_MODEL) if nodes.value(node_id, "lora_name")]
    return tuple(
        Lora(
            file_name=text(nodes.value(node_id, "lora_name")),
            strength=real(nodes.value(node_id, "strength_model")) or 0.0,
        )
        for node_id in reversed(chain)
    )


def _steps_done(inputs: Inputs, sampled: Sampled) -> float:
    first = whole(inputs.get("start_at_step")) or 0
    last = whole(inputs.get("end_at_step"))
    return max(min(sampled.steps, sampled.steps if last is None else last) - first, 0) * sampled.denoise
