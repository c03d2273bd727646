"""What `params` may ask for beyond one pass from noise: a source image, a hires pass, upscaling, a refiner.

v1 has none of it, so these members are extensions; those of the source image have v2's names.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.wire import BLOB_KEY_PATTERN, Number, Reference, WireModel, picture_url
from civitai_mock.generation.work import is_url

DEFAULT_DENOISE = 0.75  # v2 description, where a graph of ours would be run
DEFAULT_HIRES_SCALE = 1.5
DEFAULT_HIRES_DENOISE = 0.5
DEFAULT_SWITCH = 0.8
MAX_STEPS = 150
AIR_MEMBERS = {"hires": "upscaler", "upscale": "model", "refiner": "model"}

# ComfyUI divides the steps by it: next to nothing would be a list of noise levels that fills its memory.
Denoise = Annotated[Number, Field(ge=0.01, le=1)]


def _source_image(text: str) -> str:
    if is_url(text):
        return picture_url(text)
    if not BLOB_KEY_PATTERN.fullmatch(text):
        raise ValueError("expected a URL like https://example.com/picture.png, or the key of a blob")
    return text


SourceImage = Annotated[str, Field(strict=True), AfterValidator(_source_image)]


class CompleteHires(WireModel):
    """`upscaler` is an AIR; without one the latent itself is scaled."""

    scale: Number
    steps: int
    denoise_strength: Number
    upscaler: str | None = None


class CompleteUpscale(WireModel):
    """`model` is an AIR; without a `scale` the picture gets as large as that makes it."""

    model: str
    scale: Number | None = None


class CompleteRefiner(WireModel):
    """`model` is an AIR."""

    model: str
    switch_at: Number


class ImageJobHires(WireModel):
    """A second pass over the larger picture."""

    scale: Annotated[Number, Field(gt=1, le=4)] | None = None
    """1.5 if there is none."""
    steps: Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)] | None = None
    """As many as the first pass has if there are none."""
    denoise_strength: Denoise | None = None
    """0.5 if there is none."""
    upscaler: Reference | None = None
    """AIR of an upscaler; without one the latent itself is scaled."""

    def complete(self, upscaler: str | None, *, steps: int) -> CompleteHires:
        return CompleteHires(
            scale=self.scale or DEFAULT_HIRES_SCALE,
            steps=self.steps or steps,
            denoise_strength=self.denoise_strength or DEFAULT_HIRES_DENOISE,
            upscaler=upscaler,
        )


class ImageJobUpscale(WireModel):
    """Scale the finished picture with a model."""

    model: Reference
    """AIR of an upscaler."""
    scale: Annotated[Number, Field(gt=1, le=8)] | None = None
    """The model's own if there is none."""

    def complete(self, model: str) -> CompleteUpscale:
        return CompleteUpscale(model=model, scale=self.scale)


class ImageJobRefiner(WireModel):
    """Have a second model do the last steps."""

    model: Reference
    """AIR of the refiner, a checkpoint."""
    switch_at: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """After which fraction of the steps; 0.8 if there is none."""

    def complete(self, model: str) -> CompleteRefiner:
        return CompleteRefiner(model=model, switch_at=self.switch_at or DEFAULT_SWITCH)


def shown_extras(params: Mapping[str, Any], names: Mapping[str, str]) -> JsonObject:
    """Those of complete `params` with an AIR, which is replaced by its name."""
    return {
        extra: {**params[extra], member: names[params[extra][member]]}
        for extra, member in AIR_MEMBERS.items()
        if member in params.get(extra, {})
    }
