"""Operations on media files, as data: `drawing.media` has a function for each."""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from civitai_mock.domain.media import MediaKind
from civitai_mock.generation.media import ImageFile, ImageFormat

PREVIEW_WIDTH = 450


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOperation:
    """Is an operation whose first input is an image."""

    reads: ClassVar[MediaKind] = MediaKind.IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Is a rectangle in pixels of the image, its first corner included, its other one not."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Scales an image to a width, and its height with it."""

    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur:
    """Blurs an image, by 1 to 100, within some regions, or with `is_outside` everywhere else.

    Without regions all of the image is blurred.
    """

    radius: int
    is_outside: bool = False
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertImage(ImageOperation):
    """Changes an image step by step, and writes it anew; of an animation at most `max_frames` are kept."""

    file: ImageFile = field(default_factory=ImageFile)
    transforms: tuple[Resize | Blur, ...] = ()
    max_frames: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewImage(ImageOperation):
    """Makes a small image that shows what is in another one; one that is small enough stays as large as it is."""

    width: int = PREVIEW_WIDTH
    file: ImageFile = field(default_factory=lambda: ImageFile(has_metadata=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleImage(ImageOperation):
    """Makes both sides of an image `factor` times as long."""

    factor: int = 2
    file: ImageFile = field(default_factory=ImageFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBackground(ImageOperation):
    """Makes all transparent but an oval in the middle."""

    file: ImageFile = field(default_factory=lambda: ImageFile(format=ImageFormat.PNG))


Operation: TypeAlias = ConvertImage | PreviewImage | UpscaleImage | RemoveBackground
