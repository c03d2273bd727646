"""Job types that make one image of another one."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import field, replace
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.operations import (
    Blur,
    ConvertImage,
    KeepImage,
    Operation,
    PreprocessImage,
    RemoveBackground,
    Resize,
    UpscaleImage,
)
from civitai_mock.generation.work import DerivedWork, is_web_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOperationSpec(CompleteSpec):
    """Makes a `file` of the image at `source`, in any form that an input of an operation has."""

    cost: ClassVar[float] = 1
    seconds: ClassVar[float] = 1

    source: str
    file: ImageFile = field(default_factory=ImageFile)

    @property
    @abstractmethod
    def operation(self) -> Operation:
        """Return what is done to the image."""

    def image_urls(self) -> Mapping[str, str]:
        return {"source": self.source} if is_web_url(self.source) else {}

    def files(self) -> tuple[PlannedFile, ...]:
        return (PlannedFile(content_type=self.file.content_type),)

    def own_work(self) -> DerivedWork:
        return DerivedWork(operation=self.operation, inputs=(self.source,), seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUpscalerSpec(ImageOperationSpec):
    """Makes both sides `factor` times as long; the `model`, an AIR, has to be there."""

    job_type: ClassVar[str] = "ImageUpscaler"
    cost: ClassVar[float] = 4
    seconds: ClassVar[float] = 5

    factor: int
    model: str | None = None

    def references(self) -> Mapping[str, str]:
        return {} if self.model is None else {"model": self.model}

    @property
    def operation(self) -> UpscaleImage:
        return UpscaleImage(factor=self.factor, file=self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """Is one change of an image, of which one member is there."""

    resize: Resize | None = None
    blur: Blur | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertImageSpec(ImageOperationSpec):
    """Changes an image step by step; of an animation at most `max_frames` are kept."""

    job_type: ClassVar[str] = "ConvertImage"

    changes: tuple[ImageChange, ...] = ()
    max_frames: int | None = None

    @property
    def operation(self) -> ConvertImage:
        transforms = tuple(done for change in self.changes if (done := change.resize or change.blur))
        return ConvertImage(file=self.file, transforms=transforms, max_frames=self.max_frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBackgroundSpec(ImageOperationSpec):
    """Leaves what is in front; the file is a PNG, unless another format with transparency is given."""

    job_type: ClassVar[str] = "ImageBackgroundRemoval"
    cost: ClassVar[float] = 7
    seconds: ClassVar[float] = 2

    file: ImageFile = field(default_factory=lambda: ImageFile(format=ImageFormat.PNG))

    @property
    def operation(self) -> RemoveBackground:
        return RemoveBackground(file=self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessImageSpec(ImageOperationSpec):
    """Makes what a ControlNet goes by; see `PreprocessImage`."""

    job_type: ClassVar[str] = "PreprocessImage"

    kind: str
    resolution: int
    threshold: int | None = None
    seed: int = 0

    @property
    def operation(self) -> PreprocessImage:
        usual = PreprocessImage(kind=self.kind, resolution=self.resolution, seed=self.seed, file=self.file)
        return usual if self.threshold is None else replace(usual, threshold=self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUploadSpec(ImageOperationSpec):
    """Keeps an image as it is; what its blob is called is known once its bytes are there."""

    job_type: ClassVar[str] = "ImageUpload"
    cost: ClassVar[float] = 0
    seconds: ClassVar[float] = 0

    def files(self) -> tuple[PlannedFile, ...]:
        return ()

    @property
    def operation(self) -> KeepImage:
        return KeepImage()
