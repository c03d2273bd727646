"""How a picture is made: as a request says it, and complete."""

from typing import Annotated, Literal

from pydantic import Field

from civitai_mock.generation.ecosystem import Defaults
from civitai_mock.generation.wire import Number, PromptText, SchedulerName, Text, WireModel

RANDOM_SEED = -1
MAX_SEED = 2**32 - 1
PIXELS_PER_UNIT = 512 * 512
STEPS_PER_UNIT = 50
BUZZ_PER_UNIT = 1.6

Side = Annotated[int, Field(strict=True, ge=64, le=2048)]
Steps = Annotated[int, Field(strict=True, ge=1, le=150)]
CfgScale = Annotated[Number, Field(ge=1, le=30)]
ClipSkip = Annotated[int, Field(strict=True, ge=1, le=24)]


def image_cost(*, width: int, height: int, steps: int) -> float:
    """Of one image, in Buzz; in the order of operations that gives the figures of the captures."""
    return width * height / PIXELS_PER_UNIT * (steps / STEPS_PER_UNIT) * BUZZ_PER_UNIT


class CompleteParams(WireModel):
    """What is drawn; members stand in the order of capture v1-job-claimed-detailed."""

    prompt: str | None = None
    negative_prompt: str | None = None
    scheduler: str
    steps: int
    cfg_scale: Number
    width: int
    height: int
    seed: int
    clip_skip: int | None = None

    @property
    def cost(self) -> float:
        """Of one image, in Buzz."""
        return image_cost(width=self.width, height=self.height, steps=self.steps)


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

    def complete(self, defaults: Defaults, *, seed: int) -> CompleteParams:
        """`seed` is used if the request leaves it to chance."""
        return CompleteParams(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            scheduler=self.scheduler or defaults.scheduler,
            steps=self.steps or defaults.steps,
            cfg_scale=self.cfg_scale or defaults.cfg_scale,
            width=self.width or defaults.width,
            height=self.height or defaults.height,
            seed=seed if self.seed is None or self.seed == RANDOM_SEED else self.seed,
            clip_skip=self.clip_skip or defaults.clip_skip,
        )


class ImageJobControlNet(WireModel):
    """An image that guides the drawing."""

    preprocessor: Literal["Canny", "DepthZoe", "SoftedgePidinet", "Rembg"]
    weight: Number | None = None
    start_step: Number | None = None
    end_step: Number | None = None
    blob_key: Text | None = None
    image_url: Text | None = None
