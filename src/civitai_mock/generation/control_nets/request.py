"""Read `controlNets` and complete them; the preprocessors that they can name, as recipes of nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.wire import MAX_NAME_LENGTH, BlobKey, ImageUrl, Number, Reference, RequestModel, WireModel


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessorStep:
    """Is a node that makes an image of an image; where it `has_resolution`, it works on that many pixels a side.

    `pack` is the node pack that it comes from.
    """

    class_type: str
    pack: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    image_input: str = "image"
    has_resolution: bool = False


# A recipe is the steps of one preprocessor, each fed by the one before.
Recipe: TypeAlias = tuple[PreprocessorStep, ...]

CONTROLNET_AUX = "comfyui_controlnet_aux"
CANNY = PreprocessorStep(class_type="Canny", inputs={"low_threshold": 0.4, "high_threshold": 0.8})
ZOE = PreprocessorStep(class_type="Zoe-DepthMapPreprocessor", pack=CONTROLNET_AUX, has_resolution=True)
PIDINET = PreprocessorStep(
    class_type="PiDiNetPreprocessor", pack=CONTROLNET_AUX, inputs={"safe": "enable"}, has_resolution=True
)
# A ControlNet cannot read transparency, so the background becomes black.
REMBG_OF_WAS = PreprocessorStep(
    class_type="Image Rembg (Remove Background)",
    pack="WAS Node Suite",
    inputs={
        "transparency": False,
        "model": "u2net",
        "post_processing": False,
        "only_mask": False,
        "alpha_matting": False,
        "alpha_matting_foreground_threshold": 240,
        "alpha_matting_background_threshold": 10,
        "alpha_matting_erode_size": 10,
        "background_color": "black",
    },
    image_input="images",
)
# This one gives a cut-out with an alpha channel, under which the background is black.
REMBG = PreprocessorStep(class_type="Image Remove Background (rembg)", pack="rembg-comfyui-node")
WITHOUT_ALPHA = PreprocessorStep(class_type="SplitImageWithAlpha")


def title_of(preprocessor: str, step: PreprocessorStep) -> str:
    """Return a title that says what a node is for and where it comes from, for whoever reads that a server lacks it."""
    return f"preprocessor {preprocessor}, of {step.pack}" if step.pack else f"preprocessor {preprocessor}"


# The recipes by official names; where several node packs can do it, the best known comes first.
RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "Canny": ((CANNY,),),
    "DepthZoe": ((ZOE,),),
    "SoftedgePidinet": ((PIDINET,),),
    "Rembg": ((REMBG_OF_WAS,), (REMBG, WITHOUT_ALPHA)),
}
SPELLINGS: Mapping[str, str] = {name.lower(): name for name in RECIPES}


MAX_WEIGHT = 10  # ComfyUI's largest strength
MAX_CONTROL_NETS = 10


def _preprocessor(value: object) -> object:
    """Return the official spelling of a name in any case."""
    name = SPELLINGS.get(value.lower()) if isinstance(value, str) else None
    if name is None:
        found = f"'{value[:MAX_NAME_LENGTH]}'" if isinstance(value, str) else "This"
        raise ValueError(f"{found} is not a preprocessor; use one of {', '.join(RECIPES)}.")
    return name


def _fraction(number: float) -> float:
    if not 0 <= number <= 1:
        raise ValueError(f"expected a fraction of all steps, from 0 to 1 (0.5 is half-way); found {number:g}")
    return number


Preprocessor = Annotated[str, BeforeValidator(_preprocessor), Field(json_schema_extra={"enum": list(RECIPES)})]
Fraction = Annotated[Number, AfterValidator(_fraction), Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class CompleteControlNet(WireModel):
    """Is a ControlNet as it is stored.

    `model` is its AIR; without one it is any file that fits preprocessor and ecosystem.
    """

    preprocessor: str
    weight: Number
    start_step: Number
    end_step: Number
    blob_key: str | None = None
    image_url: str | None = None
    model: str | None = None


class ImageJobControlNet(RequestModel):
    """An image guides the drawing; it is a blob, or comes from elsewhere."""

    preprocessor: Preprocessor
    weight: Annotated[Number, Field(ge=0, le=MAX_WEIGHT)] | None = None
    """The default is 1."""
    start_step: Fraction | None = None
    """Acts from this fraction of all steps on; the default is 0."""
    end_step: Fraction | None = None
    """Acts up to this fraction of all steps; the default is 1."""
    blob_key: BlobKey | None = None
    image_url: ImageUrl | None = None
    model: Reference | None = None
    """Names the ControlNet by its AIR; an extension of this server."""

    @property
    def first_step(self) -> float:
        return 0 if self.start_step is None else self.start_step

    @property
    def last_step(self) -> float:
        return 1 if self.end_step is None else self.end_step

    @model_validator(mode="after")
    def _has_one_image_and_some_steps(self) -> Self:
        if (self.blob_key is None) == (self.image_url is None):
            found = "neither" if self.blob_key is None else "both"
            raise ValueError(f"A ControlNet needs either a blobKey or an imageUrl; found {found}.")
        if self.first_step >= self.last_step:
            raise ValueError(
                f"startStep must be less than endStep, both fractions of all steps, by default 0 and 1; found"
                f" {self.first_step:g} and {self.last_step:g}."
            )
        return self

    def complete(self, model: str | None) -> CompleteControlNet:
        return CompleteControlNet(
            preprocessor=self.preprocessor,
            weight=1 if self.weight is None else self.weight,
            start_step=self.first_step,
            end_step=self.last_step,
            blob_key=self.blob_key,
            image_url=self.image_url,
            model=model,
        )


ControlNetList = Annotated[list[ImageJobControlNet], Field(max_length=MAX_CONTROL_NETS)]
