"""Read `params` of textToImage and complete them: sizes, steps, source image, hires, upscale, refiner."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, AliasChoices, Field, ValidationInfo

from civitai_mock.domain.blob import KEY_PATTERN
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.comfyui_facts import LATENT_CELL
from civitai_mock.generation.ecosystems.ecosystem import Defaults
from civitai_mock.generation.wire import (
    Number,
    PromptText,
    Reference,
    RequestModel,
    SchedulerName,
    WireModel,
    image_url,
)
from civitai_mock.generation.work import is_url

DEFAULT_DENOISE = 0.75  # v2 description, where a graph of ours would be run
DEFAULT_HIRES_SCALE = 1.5
DEFAULT_HIRES_DENOISE = 0.5
DEFAULT_SWITCH = 0.8
MAX_STEPS = 150
RANDOM_SEED = -1
MAX_SEED = 2**32 - 1
PIXELS_PER_UNIT = 512 * 512
STEPS_PER_UNIT = 50
BUZZ_PER_UNIT = 1.6
# The name of v2: in its own spelling, and in the right one.
V2_DENOISE = ("sourceImageDenoiseStrenght", "sourceImageDenoiseStrength")
AIR_MEMBERS = {"hires": "upscaler", "upscale": "model", "refiner": "model"}

# ComfyUI divides the steps by the denoise: with one near 0, the list of noise levels would fill its memory.
Denoise = Annotated[Number, Field(ge=0.01, le=1)]


def _source_image(text: str) -> str:
    if is_url(text):
        return image_url(text)
    if not KEY_PATTERN.fullmatch(text):
        raise ValueError("expected a URL like https://example.com/image.png, or the key of a blob")
    return text


SourceImage = Annotated[str, Field(strict=True), AfterValidator(_source_image)]


class CompleteHires(WireModel):
    """Is a hires pass as it is stored; `upscaler` is an AIR, without one the latent itself is scaled."""

    scale: Number
    steps: int
    denoise_strength: Number
    upscaler: str | None = None


class CompleteUpscale(WireModel):
    """Is an upscale as it is stored; `model` is an AIR, which makes the image as large as it does without a `scale`."""

    model: str
    scale: Number | None = None


class CompleteRefiner(WireModel):
    """Is a refiner as it is stored; `model` is an AIR."""

    model: str
    switch_at: Number


class ImageJobHires(RequestModel):
    """A second pass is done over the larger image."""

    scale: Annotated[Number, Field(gt=1, le=4)] | None = None
    """The default is 1.5."""
    steps: Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)] | None = None
    """The default is as many as the first pass has."""
    denoise_strength: Denoise | None = None
    """The default is 0.5."""
    upscaler: Reference | None = None
    """Names an upscaler by its AIR; without one the latent itself is scaled."""

    def complete(self, upscaler: str | None, *, steps: int) -> CompleteHires:
        return CompleteHires(
            scale=self.scale or DEFAULT_HIRES_SCALE,
            steps=self.steps or steps,
            denoise_strength=self.denoise_strength or DEFAULT_HIRES_DENOISE,
            upscaler=upscaler,
        )


class ImageJobUpscale(RequestModel):
    """The finished image is scaled with a model."""

    model: Reference
    """Names an upscaler by its AIR."""
    scale: Annotated[Number, Field(gt=1, le=8)] | None = None
    """The default is what the model does."""

    def complete(self, model: str) -> CompleteUpscale:
        return CompleteUpscale(model=model, scale=self.scale)


class ImageJobRefiner(RequestModel):
    """A second model does the last steps."""

    model: Reference
    """Names a checkpoint by its AIR."""
    switch_at: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """The refiner takes over after this fraction of the steps; the default is 0.8."""

    def complete(self, model: str) -> CompleteRefiner:
        return CompleteRefiner(model=model, switch_at=self.switch_at or DEFAULT_SWITCH)


def named_extras(params: Mapping[str, Any], names: Mapping[str, str]) -> JsonObject:
    """Return the members of complete `params` that have an AIR, with its name in its place."""
    return {
        extra: {**params[extra], member: names[params[extra][member]]}
        for extra, member in AIR_MEMBERS.items()
        if member in params.get(extra, {})
    }


Side = Annotated[int, Field(strict=True, ge=64, le=2048)]
Steps = Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)]
CfgScale = Annotated[Number, Field(ge=1, le=30)]
ClipSkip = Annotated[int, Field(strict=True, ge=1, le=24)]


def image_cost(*, width: int, height: int, steps: int) -> float:
    """Return the cost of one image in Buzz, by operations in the order that gives the figures of the captures."""
    return width * height / PIXELS_PER_UNIT * (steps / STEPS_PER_UNIT) * BUZZ_PER_UNIT


def _of_a_source(strength: float | None, info: ValidationInfo) -> float | None:
    if strength is not None and "source_image" in info.data and info.data["source_image"] is None:
        raise ValueError("denoiseStrength needs a sourceImage; found none.")
    return strength


class Size(NamedTuple):
    """Is the size of an image in pixels."""

    width: int
    height: int

    @property
    def sampled(self) -> Self:
        """Return what a sampler makes of the size: whole cells of latent space."""
        return self._replace(
            width=self.width // LATENT_CELL * LATENT_CELL, height=self.height // LATENT_CELL * LATENT_CELL
        )

    def scaled(self, scale: float) -> Self:
        return self._replace(width=round(self.width * scale), height=round(self.height * scale))

    @property
    def larger_side(self) -> int:
        return max(self.width, self.height)


class CompleteParams(WireModel):
    """Holds what is drawn; members are in the order of capture v1-job-claimed-detailed, extensions at the end."""

    prompt: str | None = None
    negative_prompt: str | None = None
    scheduler: str
    steps: int
    cfg_scale: Number
    width: int
    height: int
    seed: int
    clip_skip: int | None = None
    source_image: str | None = None
    denoise_strength: Number | None = None
    hires: CompleteHires | None = None
    upscale: CompleteUpscale | None = None
    refiner: CompleteRefiner | None = None

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def sampled_size(self) -> Size:
        """Return the size after all passes."""
        first = self.size.sampled
        return first if self.hires is None else first.scaled(self.hires.scale).sampled

    @property
    def cost(self) -> float:
        """Return the cost of one image in Buzz, for what is sampled."""
        cost = image_cost(width=self.width, height=self.height, steps=self.steps)
        if self.hires is not None:
            cost += image_cost(**self.sampled_size._asdict(), steps=self.hires.steps)
        return cost


class ImageJobParams(RequestModel):
    """What is left out gets the ecosystem's default; where the server has to choose, the scheduler is `Undefined`."""

    prompt: PromptText | None = None
    negative_prompt: PromptText | None = None
    scheduler: SchedulerName | None = None
    steps: Steps | None = None
    cfg_scale: CfgScale | None = None
    width: Side | None = None
    height: Side | None = None
    seed: Annotated[int, Field(strict=True, ge=RANDOM_SEED, le=MAX_SEED)] | None = None
    """-1 asks for a random one, which is the default."""
    clip_skip: ClipSkip | None = None
    source_image: SourceImage | None = None
    """Names an image to start from, by URL or blob key; an extension of this server, like all members that follow."""
    denoise_strength: Annotated[
        Denoise | None,
        AfterValidator(_of_a_source),
        Field(validation_alias=AliasChoices("denoiseStrength", *V2_DENOISE)),
    ] = None
    """Says how much of the source image is drawn anew; the default is 0.75. v2's name for it is read as well."""
    hires: ImageJobHires | None = None
    upscale: ImageJobUpscale | None = None
    refiner: ImageJobRefiner | None = None

    def complete(self, defaults: Defaults, *, seed: int, airs: Mapping[str, str]) -> CompleteParams:
        """Fill in defaults; `seed` is for a request without one, `airs` are those of resources as it names them."""
        steps, hires = self.steps or defaults.steps, self.hires
        upscaler = airs[hires.upscaler] if hires is not None and hires.upscaler is not None else None
        return CompleteParams.of_valid(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            scheduler=self.scheduler or defaults.scheduler,
            steps=steps,
            cfg_scale=self.cfg_scale or float(defaults.cfg_scale),
            width=self.width or defaults.width,
            height=self.height or defaults.height,
            seed=seed if self.seed is None or self.seed == RANDOM_SEED else self.seed,
            clip_skip=self.clip_skip or defaults.clip_skip,
            source_image=self.source_image,
            denoise_strength=None if self.source_image is None else self.denoise_strength or DEFAULT_DENOISE,
            hires=None if hires is None else hires.complete(upscaler, steps=steps),
            upscale=None if self.upscale is None else self.upscale.complete(airs[self.upscale.model]),
            refiner=None if self.refiner is None else self.refiner.complete(airs[self.refiner.model]),
        )
