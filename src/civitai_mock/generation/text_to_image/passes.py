"""Add to a graph what goes beyond one pass from noise: source image, hires pass, upscaling, refiner."""

from collections.abc import Mapping

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.generation.comfyui_facts import MOST_STEPS
from civitai_mock.generation.graph import Link, Value
from civitai_mock.generation.graph_builder import GraphBuilder, load_image
from civitai_mock.generation.text_to_image.spec import Size

# How pleasing an image is, as a refiner is trained to be told: what is wanted, and what is not.
POSITIVE_SCORE, NEGATIVE_SCORE = 6, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaler:
    """Enlarges an image by a model, and then scales it to `size`, if there is one."""

    file_name: str
    size: Size | None

    def enlarge(self, builder: GraphBuilder, image: Link) -> Link:
        model = builder.add_once("UpscaleModelLoader", {"model_name": self.file_name})
        larger = builder.add("ImageUpscaleWithModel", {"upscale_model": model, "image": image})
        if self.size is None:
            return larger
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        return builder.add("ImageScale", {**scale, "image": larger})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscale:
    """Enlarges the finished image."""

    upscaler: Upscaler

    def apply(self, builder: GraphBuilder) -> None:
        image = builder.source("image")
        builder.redirect(image, self.upscaler.enlarge(builder, image))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hires:
    """Samples the image again, larger; without an `upscaler`, the latent itself is scaled to `size`."""

    size: Size
    steps: int
    denoise: float
    upscaler: Upscaler | None

    def apply(self, builder: GraphBuilder) -> None:
        """Repeat the first pass, also its seed, but for size, steps and denoise."""
        first = builder.source("samples")
        larger = self._larger(builder, first, self.upscaler)
        slots = {"steps": self.steps, "denoise": plain_number(self.denoise)}
        second = builder.repeat(first, slots=slots, instead={builder.source("latent"): larger})
        builder.redirect(first, second)

    def _larger(self, builder: GraphBuilder, first: Link, upscaler: Upscaler | None) -> Link:
        if upscaler is None:
            scale = {"upscale_method": "nearest-exact", "crop": "disabled", **self.size._asdict()}
            return builder.add("LatentUpscale", {**scale, "samples": first})
        vae = builder.source("vae")
        image = builder.add("VAEDecode", {"samples": first, "vae": vae})
        return builder.add("VAEEncode", {"pixels": upscaler.enlarge(builder, image), "vae": vae})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """Starts from an image; `image` is the name that the graph reads it under, `denoise` how much is drawn anew."""

    image: str
    size: Size
    quantity: int
    denoise: float

    def apply(self, builder: GraphBuilder) -> None:
        loaded = load_image(builder, self.image)
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        scaled = builder.add("ImageScale", {**scale, "image": loaded})
        latent = builder.add("VAEEncode", {"pixels": scaled, "vae": builder.source("vae")})
        if self.quantity > 1:
            latent = builder.add("RepeatLatentBatch", {"samples": latent, "amount": self.quantity})
        builder.redirect(builder.source("latent"), latent)
        builder.fill("denoise", plain_number(self.denoise))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refiner:
    """Has a second model do the last steps of the first pass, after the fraction `switch_at`; both do at least one.

    The refiner has text encoders of its own, so networks, ControlNets and skipped layers are for the base only.
    """

    file_name: str
    size: Size
    steps: int
    denoise: float
    switch_at: float

    def apply(self, builder: GraphBuilder) -> None:
        first = builder.output_at("denoise")
        model = builder.add("CheckpointLoaderSimple", {"ckpt_name": self.file_name})
        clip = Link(model.node_id, 1)
        noisy = builder.add("KSamplerAdvanced", self._base(builder))
        refined: Mapping[str, Value] = {
            **self._shared(builder),
            "add_noise": "disable",
            "start_at_step": self._switch,
            "end_at_step": MOST_STEPS,
            "return_with_leftover_noise": "disable",
            "model": model,
            "positive": self._encoded(builder, clip, POSITIVE_SCORE, builder.value("prompt")),
            "negative": self._encoded(builder, clip, NEGATIVE_SCORE, builder.value("negative_prompt")),
            "latent_image": noisy,
        }
        builder.redirect(first, builder.add("KSamplerAdvanced", refined))

    def _base(self, builder: GraphBuilder) -> Mapping[str, Value]:
        links = {"model": "model", "positive": "positive", "negative": "negative", "latent_image": "latent"}
        return {
            **self._shared(builder),
            "add_noise": "enable",
            "start_at_step": self._start,
            "end_at_step": self._switch,
            "return_with_leftover_noise": "enable",
            **{name: builder.source(source) for name, source in links.items()},
        }

    def _shared(self, builder: GraphBuilder) -> Mapping[str, Value]:
        slots = {"noise_seed": "seed", "cfg": "cfg_scale", "sampler_name": "sampler", "scheduler": "noise_schedule"}
        return {"steps": self._all_steps, **{name: builder.value(slot) for name, slot in slots.items()}}

    def _encoded(self, builder: GraphBuilder, clip: Link, score: float, text: Value) -> Link:
        inputs = {"ascore": score, **self.size._asdict(), "text": text, "clip": clip}
        return builder.add("CLIPTextEncodeSDXLRefiner", inputs)

    @property
    def _all_steps(self) -> int:
        """Return all steps, also those that are left out for a source image, as KSampler counts them."""
        return min(int(self.steps / self.denoise), MOST_STEPS)

    @property
    def _start(self) -> int:
        return max(self._all_steps - self.steps, 0)

    @property
    def _switch(self) -> int:
        return self._start + min(max(round(self.steps * self.switch_at), 1), self.steps - 1)
