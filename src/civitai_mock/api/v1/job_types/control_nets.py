"""Read `controlNets`."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from civitai_mock.api.v1.wire import MAX_NAME_LENGTH, BlobKey, ImageUrl, Number, Reference, RequestModel
from civitai_mock.generation.control_nets.preprocessors import RECIPES
from civitai_mock.generation.control_nets.spec import (
    FIRST_STEP,
    LAST_STEP,
    MAX_WEIGHT,
    ControlNetDraft,
    fraction_fault,
    preprocessor_fault,
)

SPELLINGS: Mapping[str, str] = {name.lower(): name for name in RECIPES}
MAX_CONTROL_NETS = 10


def _preprocessor(value: object) -> object:
    """Return the official spelling of a name in any case."""
    name = SPELLINGS.get(value.lower()) if isinstance(value, str) else None
    if name is None:
        found = f"'{value[:MAX_NAME_LENGTH]}'" if isinstance(value, str) else "This"
        raise ValueError(preprocessor_fault(found))
    return name


def _fraction(number: float) -> float:
    if message := fraction_fault(number):
        raise ValueError(message)
    return number


Preprocessor = Annotated[str, BeforeValidator(_preprocessor), Field(json_schema_extra={"enum": list(RECIPES)})]
Fraction = Annotated[Number, AfterValidator(_fraction), Field(json_schema_extra={"minimum": 0, "maximum": 1})]


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
        return FIRST_STEP if self.start_step is None else self.start_step

    @property
    def last_step(self) -> float:
        return LAST_STEP if self.end_step is None else self.end_step

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

    def draft(self) -> ControlNetDraft:
        return ControlNetDraft(
            preprocessor=self.preprocessor,
            weight=self.weight,
            start_step=self.start_step,
            end_step=self.end_step,
            blob_key=self.blob_key,
            image_url=self.image_url,
            model=self.model,
        )


ControlNetList = Annotated[list[ImageJobControlNet], Field(max_length=MAX_CONTROL_NETS)]
