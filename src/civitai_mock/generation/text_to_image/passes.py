"""The passes of a graph beyond the first one from noise: source image, hires pass, upscaling, refiner."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.domain.dotnet import plain_number
from civitai_mock.generation.comfyui_facts import MOST_STEPS
from civitai_mock.generation.graph import Link, Value
from civitai_mock.generation.graph_builder import GraphBuilder, load_image
from civitai_mock.generation.text_to_image.params import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaler:
    """`size` is that of the result; where there is none, it is what the model makes of the image."""

    file_name: str
    size: Size | None

    def enlarge(self, draft: GraphBuilder, image: Link) -> Link:
        model = draft.load("UpscaleModelLoader", {"model_name": self.file_name})
        larger = draft.add("ImageUpscaleWithModel", {"upscale_model": model, "image": image})
        if self.size is None:
            return larger
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        return draft.add("ImageScale", {**scale, "image": larger})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscale:
    """The last that is done to an image."""

    upscaler: Upscaler

    def apply(self, draft: GraphBuilder) -> None:
        image = draft.source("image")
        draft.redirect(image, self.upscaler.enlarge(draft, image))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hires:
    """Without an `upscaler`, the latent itself is scaled to `size`."""

    size: Size
    steps: int
    denoise: float
    upscaler: Upscaler | None

    def apply(self, draft: GraphBuilder) -> None:
        """All but size, steps and denoise is as in the first pass, also the seed."""
        first = draft.source("samples")
        larger = self._larger(draft, first, self.upscaler)
        slots = {"steps": self.steps, "denoise": plain_number(self.denoise)}
        second = draft.repeat(first, slots=slots, instead={draft.source("latent"): larger})
        draft.redirect(first, second)

    def _larger(self, draft: GraphBuilder, first: Link, upscaler: Upscaler | None) -> Link:
        if upscaler is None:
            scale = {"upscale_method": "nearest-exact", "crop": "disabled", **self.size._asdict()}
            return draft.add("LatentUpscale", {**scale, "samples": first})
        vae = draft.source("vae")
        image = draft.add("VAEDecode", {"samples": first, "vae": vae})
        return draft.add("VAEEncode", {"pixels": upscaler.enlarge(draft, image), "vae": vae})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """`image` is the name that the graph reads it under, `denoise` is how much of it is drawn anew."""

    image: str
    size: Size
    quantity: int
    denoise: float

    def apply(self, draft: GraphBuilder) -> None:
        loaded = load_image(draft, self.image)
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        scaled = draft.add("ImageScale", {**scale, "image": loaded})
        latent = draft.add("VAEEncode", {"pixels": scaled, "vae": draft.source("vae")})
        if self.quantity > 1:
            latent = draft.add("RepeatLatentBatch", {"samples": latent, "amount": self.quantity})
        draft.redirect(draft.source("latent"), latent)
        draft.fill("denoise", plain_number(self.denoise))


# How pleasing an image the refiner was told that it had, for what is wanted and for what is not.
POSITIVE_SCORE, NEGATIVE_SCORE = 6, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Refiner:
    """It has text encoders of its own, so networks, ControlNets and skipped layers are for the base only.

    It takes over in the first pass after the fraction `switch_at` of its steps; both models do at least one.
    """

    file_name: str
    size: Size
    steps: int
    denoise: float
    switch_at: float

    def apply(self, draft: GraphBuilder) -> None:
        first = draft.holder("denoise")
        model = draft.add("CheckpointLoaderSimple", {"ckpt_name": self.file_name})
        clip = Link(model.node_id, 1)
        noisy = draft.add("KSamplerAdvanced", self._base(draft))
        refined: Mapping[str, Value] = {
            **self._shared(draft),
            "add_noise": "disable",
            "start_at_step": self._switch,
            "end_at_step": MOST_STEPS,
            "return_with_leftover_noise": "disable",
            "model": model,
            "positive": self._encoded(draft, clip, POSITIVE_SCORE, draft.value("prompt")),
            "negative": self._encoded(draft, clip, NEGATIVE_SCORE, draft.value("negative_prompt")),
            "latent_image": noisy,
        }
        draft.redirect(first, draft.add("KSamplerAdvanced", refined))

    def _base(self, draft: GraphBuilder) -> Mapping[str, Value]:
        links = {"model": "model", "positive": "positive", "negative": "negative", "latent_image": "latent"}
        return {
            **self._shared(draft),
            "add_noise": "enable",
            "start_at_step": self._start,
            "end_at_step": self._switch,
            "return_with_leftover_noise": "enable",
            **{name: draft.source(source) for name, source in links.items()},
        }

    def _shared(self, draft: GraphBuilder) -> Mapping[str, Value]:
        slots = {"noise_seed": "seed", "cfg": "cfg_scale", "sampler_name": "sampler", "scheduler": "noise_schedule"}
        return {"steps": self._all_steps, **{name: draft.value(slot) for name, slot in slots.items()}}

    def _encoded(self, draft: GraphBuilder, clip: Link, score: float, text: Value) -> Link:
        inputs = {"ascore": score, **self.size._asdict(), "text": text, "clip": clip}
        return draft.add("CLIPTextEncodeSDXLRefiner", inputs)

    @property
    def _all_steps(self) -> int:
        """With those that are left out for a source image, as KSampler counts them."""
        return min(int(self.steps / self.denoise), MOST_STEPS)

    @property
    def _start(self) -> int:
        return max(self._all_steps - self.steps, 0)

    @property
    def _switch(self) -> int:
        return self._start + min(max(round(self.steps * self.switch_at), 1), self.steps - 1)
