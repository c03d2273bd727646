"""How a picture is made: as a request says it, and complete."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, ValidationInfo

from civitai_mock.domain.images import Size
from civitai_mock.generation.ecosystem import Defaults
from civitai_mock.generation.picture.extras import (
    DEFAULT_DENOISE,
    MAX_STEPS,
    CompleteHires,
    CompleteRefiner,
    CompleteUpscale,
    Denoise,
    ImageJobHires,
    ImageJobRefiner,
    ImageJobUpscale,
    SourceImage,
)
from civitai_mock.generation.wire import Number, PromptText, SchedulerName, WireModel

RANDOM_SEED = -1
MAX_SEED = 2**32 - 1
PIXELS_PER_UNIT = 512 * 512
STEPS_PER_UNIT = 50
BUZZ_PER_UNIT = 1.6
V2_DENOISE = ("sourceImageDenoiseStrenght", "sourceImageDenoiseStrength")  # in its own spelling, and in that of readers

Side = Annotated[int, Field(strict=True, ge=64, le=2048)]
Steps = Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)]
CfgScale = Annotated[Number, Field(ge=1, le=30)]
ClipSkip = Annotated[int, Field(strict=True, ge=1, le=24)]


def image_cost(*, width: int, height: int, steps: int) -> float:
    """Of one image, in Buzz; in the order of operations that gives the figures of the captures."""
    return width * height / PIXELS_PER_UNIT * (steps / STEPS_PER_UNIT) * BUZZ_PER_UNIT


def _of_a_source(strength: float | None, info: ValidationInfo) -> float | None:
    if strength is not None and "source_image" in info.data and info.data["source_image"] is None:
        raise ValueError("There is no sourceImage that this could be the strength for.")
    return strength


class CompleteParams(WireModel):
    """What is drawn; members stand in the order of capture v1-job-claimed-detailed, extensions behind them."""

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
        """After all passes."""
        first = self.size.drawn
        return first if self.hires is None else first.scaled(self.hires.scale).drawn

    @property
    def cost(self) -> float:
        """Of one image, in Buzz: for what is sampled."""
        cost = image_cost(width=self.width, height=self.height, steps=self.steps)
        if self.hires is not None:
            cost += image_cost(**self.sampled_size._asdict(), steps=self.hires.steps)
        return cost


class ImageJobParams(WireModel):
    """What is left out gets the ecosystem's default; where the server has to choose, the scheduler is `Undefined`."""

    prompt: PromptText | None = None
    negative_prompt: PromptText | None = None
    scheduler: SchedulerName | None = None
    steps: Steps | None = None
    cfg_scale: CfgScale | None = None
    width: Side | None = None
    height: Side | None = None
    seed: Annotated[int, Field(strict=True, ge=RANDOM_SEED, le=MAX_SEED)] | None = None
    """-1 or none for a random one."""
    clip_skip: ClipSkip | None = None
    source_image: SourceImage | None = None
    """URL, or key of a blob, of a picture to start from; an extension of this server, like all that follow."""
    denoise_strength: Annotated[
        Denoise | None,
        AfterValidator(_of_a_source),
        Field(validation_alias=AliasChoices("denoiseStrength", *V2_DENOISE)),
    ] = None
    """How much of the source image is drawn anew, 0.75 if there is none; v2's name for it is taken as well."""
    hires: ImageJobHires | None = None
    upscale: ImageJobUpscale | None = None
    refiner: ImageJobRefiner | None = None

    def complete(self, defaults: Defaults, *, seed: int, airs: Mapping[str, str]) -> CompleteParams:
        """`seed` is used if the request leaves it to chance; `airs` are those of the resources as it names them."""
        steps, hires = self.steps or defaults.steps, self.hires
        upscaler = airs[hires.upscaler] if hires is not None and hires.upscaler is not None else None
        return CompleteParams(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            scheduler=self.scheduler or defaults.scheduler,
            steps=steps,
            cfg_scale=self.cfg_scale or defaults.cfg_scale,
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
