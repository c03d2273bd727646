"""Operations on media files, as data: `drawing.media` has a function for each."""

from collections.abc import Callable
from dataclasses import field
from typing import ClassVar, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.media import MediaKind
from civitai_mock.generation.file_recipes import VIDEO_TYPE, ImageRecipe
from civitai_mock.generation.media import PREVIEW_WIDTH, ImageFile, ImageFormat


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
class KeepImage(ImageOperation):
    """Keeps the bytes of an image as they are, whatever format they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewImage(ImageOperation):
    """Makes a small image that shows what is in another one; one that is small enough stays as large as it is."""

    width: int = PREVIEW_WIDTH
    file: ImageFile = field(default_factory=lambda: ImageFile(has_metadata=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackenImage(ImageOperation):
    """Makes an image black, and leaves its size, its format and what it says of how it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleImage(ImageOperation):
    """Makes both sides of an image `factor` times as long."""

    factor: int = 2
    file: ImageFile = field(default_factory=ImageFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrawImage(ImageOperation):
    """Draws a new image over what is left of another one, which shines through as much as `strength` is below 1.

    The new one is as large as the other where the recipe has no size (0).
    """

    recipe: ImageRecipe
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBackground(ImageOperation):
    """Makes all transparent but an oval in the middle."""

    file: ImageFile = field(default_factory=lambda: ImageFile(format=ImageFormat.PNG))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessImage(ImageOperation):
    """Makes what a ControlNet goes by of an image: its edges, depth, poses and so on, by the kind (v2 description).

    The shorter side becomes `resolution`. `threshold`, of 255, is for kinds that tell white from black; `seed` is for
    `shuffle`.
    """

    kind: str
    resolution: int = 512
    threshold: int = 100
    seed: int = 0
    file: ImageFile = field(default_factory=ImageFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashMedia(ImageOperation):
    """Answers 16 hex digits, nearly all of which stay as they are when an image is scaled or compressed again.

    The hash of a video is that of its first frame.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeMedia(ImageOperation):
    """Answers what `judge` makes of a text that stands for the content: its hash or, without the file, its name.

    Without any input the text is empty.
    """

    judge: Callable[[str], JsonObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOperation:
    """Is an operation whose first input is a video."""

    reads: ClassVar[MediaKind] = MediaKind.VIDEO


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureVideo(VideoOperation):
    """Answers `width`, `height`, `fps` and `duration`, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVideo(VideoOperation):
    """Writes the same clip in another size, at a higher rate, or as another kind of file.

    Without `height` it follows from the `width`, without both the sides are `scale` times as long. There are
    `frame_factor` times as many frames in the same time.
    """

    width: int | None = None
    height: int | None = None
    scale: int = 1
    frame_factor: int = 1
    content_type: str = VIDEO_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractFrames(VideoOperation):
    """Makes images of a video, `fps` a second from `start` seconds on, at most `most`.

    One that is as alike to the one before as `unique_threshold` says is left out: 1 is the very same.
    """

    fps: float = 1.0
    start: float = 0.0
    most: int | None = None
    unique_threshold: float = 0.9
    file: ImageFile = field(default_factory=ImageFile)


Operation: TypeAlias = (
    ConvertImage
    | KeepImage
    | PreviewImage
    | BlackenImage
    | UpscaleImage
    | RedrawImage
    | RemoveBackground
    | PreprocessImage
    | HashMedia
    | JudgeMedia
    | MeasureVideo
    | ChangeVideo
    | ExtractFrames
)
