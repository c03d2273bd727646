"""Read facts from any API-format graph, by the names of inputs rather than of nodes.

So a user's own graph, with other ids and other samplers, is read as well as one that this server built.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from civitai_mock.generation.reading.facts import Frame, Lora, Sampled, Series
from civitai_mock.generation.reading.frames import framed
from civitai_mock.generation.reading.nodes import Inputs, Nodes, real, text, whole
from civitai_mock.generation.reading.order import output_rank

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
CLIP_LAYER = "stop_at_clip_layer"
CLASS_WITHOUT_NOISE = "DisableNoise"
CLASS_WITHOUT_TEXT = "ConditioningZeroOut"


def read_series(nodes: Nodes) -> Sequence[Series]:
    """One for each output node: numbers in their order, then names in the graph's."""
    outputs = [node_id for node_id in nodes if nodes.class_type(node_id) in OUTPUT_CLASSES]
    ordered = sorted(outputs, key=lambda node_id: output_rank(node_id, outputs))
    return [read_one(nodes, node_id) for node_id in ordered]


def read_one(nodes: Nodes, node_id: str) -> Series:
    """What one node gives out, whatever its class."""
    path = list(_way_of_the_pixels(nodes, node_id))[::-1]
    frame = Frame()
    passes: list[Sampled] = []
    upscaler = ""
    effort: dict[str, float] = {}
    for step in path:
        frame = framed(nodes, step, frame)
        upscaler = _upscaler(nodes, step) or upscaler
        if _samples(nodes.inputs(step)):
            sampled = replace(_sampled(nodes, step), upscaler=upscaler, width=frame.width, height=frame.height)
            upscaler = ""
            passes.append(sampled)
            effort[step] = _steps_done(nodes.inputs(step), sampled) * frame.megapixels
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


def _samples(inputs: Inputs) -> bool:
    return "latent_image" in inputs and ("steps" in inputs or "sigmas" in inputs)


def _sampled(nodes: Nodes, node_id: str) -> Sampled:
    found = nodes.nearest(node_id, SAMPLER_INPUTS, skip=BESIDE_SAMPLER)
    seed = whole(found.get("seed", found.get("noise_seed")))
    denoise = real(found.get("denoise"))
    steps = whole(found.get("steps")) or 0
    skipped = min(_steps_skipped(nodes.inputs(node_id)), steps)
    last = whole(nodes.value(node_id, "end_at_step"))
    guider = nodes.linked(node_id, ("guider",)) or node_id
    return Sampled(
        seed=seed or 0,
        steps=steps - skipped,
        cfg=real(found.get("cfg")),
        guidance=real(found.get("guidance")),
        denoise=_share_done(steps, skipped) if denoise is None else min(max(denoise, 0.0), 1.0),
        sampler=text(found.get("sampler_name")),
        noise_schedule=text(found.get("scheduler")),
        prompt_text=_words(nodes, nodes.linked(guider, ("positive", "conditioning", "cond1")), other="negative"),
        negative_text=_words(nodes, nodes.linked(guider, ("negative",)), other="positive"),
        model=text(found.get("ckpt_name")) or text(found.get("unet_name")),
        loras=_loras(nodes, guider),
        clip_skip=_clip_skip(nodes, nodes.linked(guider, ("positive", "conditioning", "cond1"))),
        first_step=max(whole(nodes.value(node_id, "start_at_step")) or 0, 0) - skipped,
        last_step=None if last is None else last - skipped,
        adds_noise=_adds_noise(nodes, node_id),
    )


def _adds_noise(nodes: Nodes, node_id: str) -> bool:
    noise = nodes.linked(node_id, ("noise",))
    silent = noise is not None and nodes.class_type(noise) == CLASS_WITHOUT_NOISE
    return nodes.value(node_id, "add_noise") != "disable" and not silent


def _clip_skip(nodes: Nodes, start: str | None) -> int:
    """Counted from the end, as A1111 does."""
    found = nodes.nearest(start, {CLIP_LAYER}, skip=BESIDE_TEXT - {"clip"}) if start is not None else {}
    return max(-(whole(found.get(CLIP_LAYER)) or -1), 1)


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


def _steps_skipped(inputs: Inputs) -> int:
    """By a sampler that puts noise on a picture and starts late: another way to say its denoise."""
    return max(whole(inputs.get("start_at_step")) or 0, 0) if inputs.get("add_noise") == "enable" else 0


def _share_done(steps: int, skipped: int) -> float:
    return round(1 - skipped / steps, 2) if steps > 0 else 1.0


def _steps_done(inputs: Inputs, sampled: Sampled) -> float:
    skipped = _steps_skipped(inputs)
    first = (whole(inputs.get("start_at_step")) or 0) - skipped
    last = whole(inputs.get("end_at_step"))
    return max(min(sampled.steps, sampled.steps if last is None else last - skipped) - first, 0) * sampled.denoise
