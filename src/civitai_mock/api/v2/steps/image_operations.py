"""Step types that make one image of another one."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.image_members import is_air, whole
from civitai_mock.api.v2.steps.prices import upscaler_price
from civitai_mock.api.v2.steps.step_type import FileStep, StepInput
from civitai_mock.domain.cost import StepCost
from civitai_mock.generation.job_types.image_operations import (
    ConvertImageSpec,
    ImageChange,
    ImageUploadSpec,
    ImageUpscalerSpec,
    PreprocessImageSpec,
    RemoveBackgroundSpec,
)
from civitai_mock.generation.media import DEFAULT_QUALITY, ImageFile, ImageFormat
from civitai_mock.generation.operations import Blur, Region, Resize

THRESHOLDS = ("binThreshold", "lowThreshold", "threshold")  # of the kinds binary, canny and scribble-xdog
BRIGHTEST = 255


class ImageOperation(FileStep):
    """Makes an image, `member` of the output, of another one, `source` of the job's draft; it has a price, maybe 0."""

    member: ClassVar[str] = "blob"
    paths: ClassVar[Mapping[str, str]] = {"source": "image"}

    def cost(self, step_input: StepInput) -> StepCost:
        return StepCost(factors={"base": self.price})


class ImageUpscaler(ImageOperation):
    """Doubles the sides of an image `numberOfRepeats` times; a model that is not an AIR is a name of a file."""

    name: ClassVar[str] = "imageUpscaler"

    def cost(self, step_input: StepInput) -> StepCost:
        return upscaler_price(step_input)

    def draft(self, step_input: StepInput, *, seed: int) -> ImageUpscalerSpec:
        model = step_input.get("model")
        return ImageUpscalerSpec(
            source=step_input["image"],
            factor=2 ** step_input["numberOfRepeats"],
            model=model if is_air(model) else None,
        )


class ConvertImage(ImageOperation):
    """Scales and blurs an image, and writes it in another format."""

    name: ClassVar[str] = "convertImage"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> ConvertImageSpec:
        output = step_input["output"]
        return ConvertImageSpec(
            source=step_input["image"],
            file=ImageFile(
                format=ImageFormat(output["format"]),
                quality=output.get("quality", DEFAULT_QUALITY),
                is_lossless=output.get("lossless", False),
                has_metadata=not output["hideMetadata"],
            ),
            changes=tuple(_change(transform) for transform in step_input.get("transforms", ())),
            max_frames=whole(output, "maxFrames", low=1, high=2**31 - 1),
        )


def _change(transform: StepInput) -> ImageChange:
    if transform["type"] == "blur":
        regions = tuple(Region(**region) for region in transform.get("regions", ()))
        is_outside = transform["mode"] == "exclude"
        return ImageChange(blur=Blur(radius=transform["blur"], is_outside=is_outside, regions=regions))
    width = transform.get("targetWidth")
    return ImageChange(resize=None if width is None else Resize(width=width))


class ImageBackgroundRemoval(ImageOperation):
    """Makes the background of an image transparent."""

    name: ClassVar[str] = "imageBackgroundRemoval"
    price: ClassVar[int] = 7
    member: ClassVar[str] = "image"

    def draft(self, step_input: StepInput, *, seed: int) -> RemoveBackgroundSpec:
        file = ImageFile(format=ImageFormat(step_input.get("format", ImageFormat.PNG)))
        return RemoveBackgroundSpec(source=step_input["image"], file=file)


class PreprocessImage(ImageOperation):
    """Makes what a ControlNet goes by."""

    name: ClassVar[str] = "preprocessImage"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> PreprocessImageSpec:
        thresholds = (whole(step_input, name, low=0, high=BRIGHTEST) for name in THRESHOLDS)
        return PreprocessImageSpec(
            source=step_input["image"],
            kind=step_input["kind"],
            resolution=step_input["resolution"],
            threshold=next((found for found in thresholds if found is not None), None),
            seed=step_input.get("seed", 0),
        )


class ImageUpload(ImageOperation):
    """Keeps the image that the input is."""

    name: ClassVar[str] = "imageUpload"
    paths: ClassVar[Mapping[str, str]] = {"source": ""}

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        return ()

    def draft(self, step_input: StepInput, *, seed: int) -> ImageUploadSpec:
        return ImageUploadSpec(source=step_input)
