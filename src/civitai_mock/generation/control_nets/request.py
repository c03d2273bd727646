"""`controlNets`: as a request writes them, complete, and the preprocessors that they can name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.wire import BlobKey, ImageUrl, Number, Reference, WireModel


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessorStep:
    """A node that takes an image and gives one; where it `has_resolution`, that is the shorter side of its work.

    `pack` is what has to be added to ComfyUI for it.
    """

    class_type: str
    pack: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    image_input: str = "image"
    has_resolution: bool = False


# The steps of one preprocessor, each fed by the one before.
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
# This one gives a cut-out with an alpha channel; what is cut out is black under it.
REMBG = PreprocessorStep(class_type="Image Remove Background (rembg)", pack="rembg-comfyui-node")
WITHOUT_ALPHA = PreprocessorStep(class_type="SplitImageWithAlpha")


def title_of(preprocessor: str, step: PreprocessorStep) -> str:
    """Whoever is told that a server lacks the node has to know what it is for, and where it comes from."""
    return f"preprocessor {preprocessor}, of {step.pack}" if step.pack else f"preprocessor {preprocessor}"


# By the official name; where several node packs can do it, the best known first.
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
    """In any case on the wire, in the official spelling here."""
    name = SPELLINGS.get(value.lower()) if isinstance(value, str) else None
    if name is None:
        raise ValueError(f"This is not a preprocessor; known: {', '.join(RECIPES)}.")
    return name


def _fraction(number: float) -> float:
    if not 0 <= number <= 1:
        raise ValueError("expected a fraction of all steps from 0 to 1, not a number of steps (0.5 is half-way)")
    return number


Preprocessor = Annotated[str, BeforeValidator(_preprocessor), Field(json_schema_extra={"enum": list(RECIPES)})]
Fraction = Annotated[Number, AfterValidator(_fraction), Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class CompleteControlNet(WireModel):
    """`model` is the AIR of its ControlNet; without one it is any file that does for preprocessor and ecosystem."""

    preprocessor: str
    weight: Number
    start_step: Number
    end_step: Number
    blob_key: str | None = None
    image_url: str | None = None
    model: str | None = None


class ImageJobControlNet(WireModel):
    """An image that guides the drawing, from a blob or from elsewhere."""

    preprocessor: Preprocessor
    weight: Annotated[Number, Field(ge=0, le=MAX_WEIGHT)] | None = None
    """1 if there is none."""
    start_step: Fraction | None = None
    """A fraction of all steps; 0 if there is none."""
    end_step: Fraction | None = None
    """A fraction of all steps; 1 if there is none."""
    blob_key: BlobKey | None = None
    image_url: ImageUrl | None = None
    model: Reference | None = None
    """AIR of the ControlNet; an extension of this server."""

    @property
    def first_step(self) -> float:
        return 0 if self.start_step is None else self.start_step

    @property
    def last_step(self) -> float:
        return 1 if self.end_step is None else self.end_step

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.blob_key is None) == (self.image_url is None):
            raise ValueError("Expected either a blobKey or an imageUrl.")
        if self.first_step >= self.last_step:
            raise ValueError(
                "The startStep has to be before the endStep; both are fractions of all steps, by default 0 and 1."
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
