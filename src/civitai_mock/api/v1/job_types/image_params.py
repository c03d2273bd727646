"""Read `params` of textToImage: sizes, steps, source image, hires, upscale, refiner."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, ValidationInfo

from civitai_mock.api.v1.wire import Name, Number, PromptText, Reference, RequestModel, SchedulerName
from civitai_mock.domain.blob import KEY_PATTERN
from civitai_mock.domain.urls import image_url
from civitai_mock.generation.comfyui_facts import MOST_CLIP_SKIP
from civitai_mock.generation.text_to_image.draft import LEAST_DENOISE, HiresDraft, RefinerDraft, UpscaleDraft
from civitai_mock.generation.work import is_url

MAX_STEPS = 150
RANDOM_SEED = -1
MAX_SEED = 2**32 - 1
# The name of v2: in its own spelling, and in the right one.
V2_DENOISE = ("sourceImageDenoiseStrenght", "sourceImageDenoiseStrength")

Denoise = Annotated[Number, Field(ge=LEAST_DENOISE, le=1)]


def _source_image(text: str) -> str:
    if is_url(text):
        return image_url(text)
    if not KEY_PATTERN.fullmatch(text):
        raise ValueError("expected a URL like https://example.com/image.png, or the key of a blob")
    return text


SourceImage = Annotated[str, Field(strict=True), AfterValidator(_source_image)]


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

    def draft(self) -> HiresDraft:
        return HiresDraft(
            scale=self.scale, steps=self.steps, denoise_strength=self.denoise_strength, upscaler=self.upscaler
        )


class ImageJobUpscale(RequestModel):
    """The finished image is scaled with a model."""

    model: Reference
    """Names an upscaler by its AIR."""
    scale: Annotated[Number, Field(gt=1, le=8)] | None = None
    """The default is what the model does."""

    def draft(self) -> UpscaleDraft:
        return UpscaleDraft(model=self.model, scale=self.scale)


class ImageJobRefiner(RequestModel):
    """A second model does the last steps."""

    model: Reference
    """Names a checkpoint by its AIR."""
    switch_at: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """The refiner takes over after this fraction of the steps; the default is 0.8."""

    def draft(self) -> RefinerDraft:
        return RefinerDraft(model=self.model, switch_at=self.switch_at)


Side = Annotated[int, Field(strict=True, ge=64, le=2048)]
Steps = Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)]
CfgScale = Annotated[Number, Field(ge=1, le=30)]
ClipSkip = Annotated[int, Field(strict=True, ge=1, le=MOST_CLIP_SKIP)]


def _of_a_source(strength: float | None, info: ValidationInfo) -> float | None:
    if strength is not None and "source_image" in info.data and info.data["source_image"] is None:
        raise ValueError("denoiseStrength needs a sourceImage; found none.")
    return strength


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
    style: Name | None = None
    """Names one of the styles of `/_mock/styles`, which has what is left out here; then a `model` can be, too."""
