"""Images as they are stored, complete: what is drawn, of which size, with which resources, and what that costs."""

from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple, Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.sampling import Sampling
from civitai_mock.generation.comfyui_facts import LATENT_CELL
from civitai_mock.generation.control_nets.spec import ControlNetSpec
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.networks.resources import NetworkSpec
from civitai_mock.generation.spec_json import stored_as

PIXELS_PER_UNIT = 512 * 512
STEPS_PER_UNIT = 50
BUZZ_PER_UNIT = 1.6


def image_cost(*, width: int, height: int, steps: int) -> float:
    """Return the cost of one image in Buzz, by operations in the order that gives the figures of the captures."""
    return width * height / PIXELS_PER_UNIT * (steps / STEPS_PER_UNIT) * BUZZ_PER_UNIT


class Size(NamedTuple):
    """Is the size of an image in pixels."""

    width: int
    height: int

    @property
    def sampled(self) -> Self:
        """Return what a sampler makes of the size: whole cells of latent space."""
        # To call the class takes a third of the time of `_replace`.
        return self.__class__(self.width // LATENT_CELL * LATENT_CELL, self.height // LATENT_CELL * LATENT_CELL)

    def scaled(self, scale: float) -> Self:
        return self._replace(width=round(self.width * scale), height=round(self.height * scale))

    @property
    def larger_side(self) -> int:
        return max(self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiresSpec:
    """Is a hires pass; `upscaler` is an AIR, without one the latent itself is scaled."""

    scale: float
    steps: int
    denoise_strength: float
    upscaler: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleSpec:
    """Is an upscale; `model` is an AIR, which makes the image as large as it does without a `scale`."""

    model: str
    scale: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinerSpec:
    """Is a refiner; `model` is an AIR."""

    model: str
    switch_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFrame:
    """Is what stands around a prompt text where it is drawn; the text itself stays as it was sent."""

    before: str = ""
    after: str = ""

    def around(self, prompt: str) -> str:
        return f"{self.before}{prompt}{self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams:
    """Holds what is drawn; `source_image` is a URL or the key of a blob."""

    prompt: str | None = None
    negative_prompt: str | None = None
    sampling: Sampling = field(metadata=stored_as("scheduler"))
    steps: int
    cfg_scale: float
    width: int
    height: int
    seed: int
    clip_skip: int | None = None
    source_image: str | None = None
    denoise_strength: float | None = None
    hires: HiresSpec | None = None
    upscale: UpscaleSpec | None = None
    refiner: RefinerSpec | None = None
    frame: PromptFrame | None = None

    @property
    def drawn_prompt(self) -> str:
        """Return the prompt text with what stands around it."""
        prompt = self.prompt or ""
        return prompt if self.frame is None else self.frame.around(prompt)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesSpec:
    """Holds all images of one job; AIRs are those of the resources, in the order of the job's resources.

    `model_kind` is one of the model's ecosystem; it is stored, so that a restart builds the same graph. `ecosystem` is
    there if it is another one than the AIR of the model says. `base_model` is shown again, and nothing else. Without a
    `file` images are given out as they are made.
    """

    base_model: str | None = None
    model: str
    ecosystem: str | None = None
    model_kind: str | None = None
    params: ImageParams
    networks: Mapping[str, NetworkSpec] = field(metadata=stored_as("additionalNetworks"))
    control_nets: tuple[ControlNetSpec, ...] = ()
    quantity: int
    file: ImageFile | None = None

    @property
    def cost(self) -> float:
        """Return the cost of all images in Buzz."""
        return self.params.cost * self.quantity
