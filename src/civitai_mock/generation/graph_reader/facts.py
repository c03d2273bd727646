"""What a graph asks for, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

DEFAULT_SIDE = 512


def steps_between(first: int, last: int | None, *, of: int) -> int:
    """How many of its steps a sampler takes that has to begin and to end at some."""
    return max((of if last is None else min(last, of)) - first, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    file_name: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerPass:
    """One sampler node's part in an image.

    It works from `first_step` to `last_step` of its `steps`, on noise of its own or on what another one has left.
    `upscaler` made the image larger on its way here, `width` and `height` are 0 where they would be guessed.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBatch:
    """The images in hand at some node; `first` is the place of the first one in the batch it was taken from.

    Their size is `guessed` where only a file would tell it: an image's, or an upscaler's.
    """

    width: int = DEFAULT_SIDE
    height: int = DEFAULT_SIDE
    count: int = 1
    first: int = 0
    guessed: bool = False

    @property
    def megapixels(self) -> float:
        """Of all its images together."""
        return self.width * self.height * self.count / 1e6

    @property
    def known(self) -> Self:
        """The same, where a node tells the size."""
        return replace(self, guessed=False)

    def measure(self, output: int) -> int:
        """Return what an output of GetImageSize gives of the batch: its width, its height or its number of images."""
        return (self.width, self.height, self.count)[min(max(output, 0), 2)]

    def skipping(self, count: int) -> Self:
        return replace(self, first=self.first + count)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputImages:
    """The images of one output node, made from `source` if that is a file, by these passes, the first one first.

    It gives out that many `results`, files whose names end in `suffix`. `is_drawn` where a model makes the pixels,
    which only a drawing can stand in for.

    `vae` is a file of its own, if that has decoded them; `upscaler` made them larger after the last pass.
    `effort` is what each sampler node has to do, in steps times megapixels.
    """

    node_id: str
    is_preview: bool = False
    results: int = 0
    suffix: str = ""
    is_drawn: bool = True
    vae: str = ""
    upscaler: str = ""
    frame: ImageBatch
    passes: tuple[SamplerPass, ...] = ()
    source: str = ""
    effort: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_drawn_image(self) -> bool:
        """Whether each of its files is one image, and nothing but a drawing."""
        return self.is_drawn and self.suffix == "png" and self.results == self.frame.count

    @property
    def main(self) -> SamplerPass:
        """The pass that the others refine."""
        return self.passes[0] if self.passes else SamplerPass()
