"""Read what a sampler node does, by the names of inputs rather than of nodes."""

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, as_text
from civitai_mock.generation.comfyui_facts import MODEL_INPUTS, SEED_INPUTS, TEXT_INPUTS
from civitai_mock.generation.graph_reader.nodes import Inputs, Nodes, real, whole

IMAGE_INPUTS = (
    *("samples", "latent_image", "latent", "pixels", "images", "image", "image1", "destination", "samples1"),
    *("samples_to", "latents", "video", "video_latent", "init_image", "start_image", "mask", "source", "Y"),
)
SAMPLER_INPUTS = frozenset(
    {*SEED_INPUTS, "steps", "cfg", "guidance", "denoise", "sampler_name", "scheduler", *MODEL_INPUTS}
)
BESIDE_MODEL = frozenset({*IMAGE_INPUTS, "positive", "negative", "conditioning", "clip", "vae"})
BESIDE_SAMPLER = frozenset({*IMAGE_INPUTS, "negative", "clip", "vae", "control_net", "mask"})
BESIDE_TEXT = frozenset({*IMAGE_INPUTS, "model", "clip", "vae", "control_net", "mask"})
CLIP_LAYER = "stop_at_clip_layer"
CLASS_WITHOUT_NOISE = "DisableNoise"
CLASS_WITHOUT_TEXT = "ConditioningZeroOut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Is a LoRA that a model goes through."""

    file_name: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerPass:
    """Is the part that one sampler node has in an image.

    It works from `first_step` to `last_step` of its `steps`, on noise of its own or on what another one has left.
    `upscaler` made the image larger before it came here; `width` and `height` are 0 where they would be guessed.
    """

    seed: int = 0
    steps: int = 0
    cfg: float | None = None
    guidance: float | None = None
    denoise: float = 1.0
    sampler: str = ""
    noise_schedule: str = ""
    prompt_text: str = ""
    negative_text: str = ""
    model: str = ""
    loras: tuple[Lora, ...] = ()
    clip_skip: int = 1
    first_step: int = 0
    last_step: int | None = None
    adds_noise: bool = True
    upscaler: str = ""
    width: int = 0
    height: int = 0

    @property
    def steps_taken(self) -> int:
        return steps_between(self.first_step, self.last_step, of=self.steps)


def steps_between(first: int, last: int | None, *, of: int) -> int:
    """Return how many of its steps a sampler takes that has to begin and to end at some."""
    return max((of if last is None else min(last, of)) - first, 0)


def is_sampler(inputs: Inputs) -> bool:
    return "latent_image" in inputs and ("steps" in inputs or "sigmas" in inputs)


def seed_in(inputs: Inputs) -> Json:
    """Return the seed among some inputs, whatever ComfyUI's nodes call it."""
    return next((inputs[name] for name in SEED_INPUTS if name in inputs), None)


def steps_of(nodes: Nodes, node_id: str) -> int | None:
    """Return how many steps a sampler takes, or None where the graph does not tell.

    A custom one has them from a node that makes its noise levels, an advanced one takes a part of them.
    """
    noise_levels = nodes.linked(node_id, ("sigmas",))
    if noise_levels is not None:
        return whole(nodes.nearest(noise_levels, {"steps"}, skip=()).get("steps"))
    steps, first, last = (whole(nodes.value(node_id, name)) for name in ("steps", "start_at_step", "end_at_step"))
    if steps is None:
        return None
    if last is None and real(nodes.value(node_id, "denoise")) == 0:
        return 0
    return steps_between(first or 0, last, of=steps)


def sampler_pass_at(nodes: Nodes, node_id: str) -> SamplerPass:
    """Read a sampler node; upscaler and size, which the path of its images tells, are left open."""
    found = nodes.nearest(node_id, SAMPLER_INPUTS, skip=BESIDE_SAMPLER)
    seed = whole(seed_in(found))
    denoise = real(found.get("denoise"))
    steps = whole(found.get("steps")) or 0
    skipped = min(_steps_skipped(nodes.inputs(node_id)), steps)
    last = whole(nodes.value(node_id, "end_at_step"))
    guider = nodes.linked(node_id, ("guider",)) or node_id
    return SamplerPass(
        seed=seed or 0,
        steps=steps - skipped,
        cfg=real(found.get("cfg")),
        guidance=real(found.get("guidance")),
        denoise=_denoise(steps, skipped) if denoise is None else min(max(denoise, 0.0), 1.0),
        sampler=as_text(found.get("sampler_name")),
        noise_schedule=as_text(found.get("scheduler")),
        prompt_text=_words(nodes, nodes.linked(guider, ("positive", "conditioning", "cond1")), other="negative"),
        negative_text=_words(nodes, nodes.linked(guider, ("negative",)), other="positive"),
        model=next((name for given in MODEL_INPUTS if (name := as_text(found.get(given)))), ""),
        loras=_loras(nodes, guider),
        clip_skip=_clip_skip(nodes, nodes.linked(guider, ("positive", "conditioning", "cond1"))),
        first_step=max(whole(nodes.value(node_id, "start_at_step")) or 0, 0) - skipped,
        last_step=None if last is None else last - skipped,
        adds_noise=_adds_noise(nodes, node_id),
    )


def _adds_noise(nodes: Nodes, node_id: str) -> bool:
    noise = nodes.linked(node_id, ("noise",))
    is_without = noise is not None and nodes.class_type(noise) == CLASS_WITHOUT_NOISE
    return nodes.value(node_id, "add_noise") != "disable" and not is_without


def _clip_skip(nodes: Nodes, start: str | None) -> int:
    """Return the clip skip, counted from the last layer, as A1111 counts it."""
    found = nodes.nearest(start, {CLIP_LAYER}, skip=BESIDE_TEXT - {"clip"}) if start is not None else {}
    return max(-(whole(found.get(CLIP_LAYER)) or -1), 1)


def _words(nodes: Nodes, start: str | None, *, other: str) -> str:
    """Return what the text encoders above a conditioning were given; inputs named `other` are not followed."""
    above = nodes.upstream(start, skip=BESIDE_TEXT | {other}, stop=CLASS_WITHOUT_TEXT)
    texts = (as_text(nodes.value(node_id, name)).strip() for node_id in above for name in TEXT_INPUTS)
    return ", ".join(dict.fromkeys(words for words in texts if words))


def _loras(nodes: Nodes, start: str) -> tuple[Lora, ...]:
    """Return the LoRAs in the order of their chain, the one next to the checkpoint first."""
    chain = [node_id for node_id in nodes.upstream(start, skip=BESIDE_MODEL) if nodes.value(node_id, "lora_name")]
    return tuple(
        Lora(
            file_name=as_text(nodes.value(node_id, "lora_name")),
            strength=real(nodes.value(node_id, "strength_model")) or 0.0,
        )
        for node_id in reversed(chain)
    )


def _steps_skipped(inputs: Inputs) -> int:
    """Return how many steps a sampler skips if it puts noise on an image: another way to say its denoise."""
    return max(whole(inputs.get("start_at_step")) or 0, 0) if inputs.get("add_noise") == "enable" else 0


def _denoise(steps: int, skipped: int) -> float:
    return round(1 - skipped / steps, 2) if steps > 0 else 1.0
