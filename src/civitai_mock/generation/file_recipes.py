"""Recipes of files that are made of what a request says, without a graph: images, videos, sounds and placeholders."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, field, fields, replace
from typing import Any, Self, TypeAlias

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.media import MediaKind
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from civitai_mock.generation.media import ImageContent, ImageFile, ImageFormat, image_file_of

DEFAULT_FPS = 24.0
VIDEO_TYPE, WEBM_TYPE = "video/mp4", "video/webm"
LEAST_SIDE, MOST_SIDE = 16, 4096  # of a video
SIDE, SECONDS = 512, 2.0  # of files whose size nobody asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """Draws an image as if a model had `sampled` it, in a size."""

    sampled: SamplerPass
    width: int
    height: int
    file: ImageFile = field(default_factory=ImageFile)
    image_content: ImageContent = ImageContent.DRAWN

    @property
    def content_type(self) -> str:
        return self.file.content_type

    @property
    def facts(self) -> BlobFacts:
        return BlobFacts(width=self.width, height=self.height)

    def showing(self, image_content: ImageContent) -> Self:
        return replace(self, image_content=image_content)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRecipe:
    """Draws a moving image of a size, length and number of frames per second, with a melody if it `has_sound`.

    H.264 knows even sides only: others become one pixel smaller. Sides have limits, too.
    """

    sampled: SamplerPass
    width: int
    height: int
    seconds: float
    fps: float = DEFAULT_FPS
    has_sound: bool = False
    image_content: ImageContent = ImageContent.DRAWN

    @property
    def content_type(self) -> str:
        return VIDEO_TYPE

    @property
    def size(self) -> tuple[int, int]:
        """Return the width and the height that the video has."""
        width, height = (min(max(side, LEAST_SIDE), MOST_SIDE) & ~1 for side in (self.width, self.height))
        return width, height

    @property
    def facts(self) -> BlobFacts:
        return BlobFacts(width=self.size[0], height=self.size[1], duration=self.seconds)

    def showing(self, image_content: ImageContent) -> Self:
        return replace(self, image_content=image_content)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundRecipe:
    """Makes a plain melody of a length, whose notes follow from the seed."""

    content_type: str
    seconds: float
    seed: int = 0

    @property
    def facts(self) -> BlobFacts:
        return BlobFacts(duration=self.seconds)

    def showing(self, _: ImageContent) -> Self:
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceholderRecipe:
    """Makes a small valid file of a type: a cube, weights, an archive; weights tell their `metadata`."""

    content_type: str
    seed: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> BlobFacts:
        return BlobFacts()

    def showing(self, _: ImageContent) -> Self:
        return self


FileRecipe: TypeAlias = ImageRecipe | VideoRecipe | SoundRecipe | PlaceholderRecipe

KINDS: Mapping[str, type[FileRecipe]] = {
    "image": ImageRecipe,
    "video": VideoRecipe,
    "sound": SoundRecipe,
    "placeholder": PlaceholderRecipe,
}
NAMES = {recipe: kind for kind, recipe in KINDS.items()}


def file_recipe(content_type: str, *, seed: int) -> FileRecipe:
    """Return the recipe of a small file of a type."""
    family, sampled = content_type.partition("/")[0], SamplerPass(seed=seed)
    if family == "image" and content_type.removeprefix("image/") in set(ImageFormat):
        file = ImageFile(format=ImageFormat(content_type.removeprefix("image/")))
        return ImageRecipe(sampled=sampled, width=SIDE, height=SIDE, file=file)
    if content_type == VIDEO_TYPE:
        return VideoRecipe(sampled=sampled, width=SIDE, height=SIDE, seconds=SECONDS)
    if family == "audio":
        return SoundRecipe(content_type=content_type, seconds=SECONDS, seed=seed)
    return PlaceholderRecipe(content_type=content_type, seed=seed)


STAND_INS: Mapping[MediaKind, Callable[[SamplerPass], FileRecipe]] = {
    MediaKind.IMAGE: lambda sampled: ImageRecipe(sampled=sampled, width=SIDE, height=SIDE),
    MediaKind.VIDEO: lambda sampled: VideoRecipe(sampled=sampled, width=SIDE, height=SIDE, seconds=SECONDS),
    MediaKind.AUDIO: lambda sampled: SoundRecipe(content_type="audio/wav", seconds=SECONDS, seed=sampled.seed),
    MediaKind.MODEL_3D: lambda sampled: PlaceholderRecipe(content_type="model/gltf-binary", seed=sampled.seed),
}


def stand_in_recipe(kind: MediaKind, subject: str) -> FileRecipe:
    """Return the recipe of a file that stands in for one that cannot be had."""
    return STAND_INS[kind](SamplerPass(prompt_text=subject))


def members_of(recipe: FileRecipe) -> JsonObject:
    """Return what is stored of a recipe: its kind, and all its members under their own names."""
    return {"kind": NAMES[type(recipe)], **asdict(recipe)}


def recipe_of(members: Mapping[str, Any]) -> FileRecipe:
    """Read what `members_of` wrote; raise `KeyError` for an unknown kind."""
    recipe = KINDS[members["kind"]]
    return recipe(**{one.name: READERS.get(one.name, _as_it_is)(members[one.name]) for one in fields(recipe)})


def _sampled(members: Mapping[str, Any]) -> SamplerPass:
    return SamplerPass(**{**members, "loras": tuple(Lora(**lora) for lora in members["loras"])})


def _as_it_is(value: Any) -> Any:
    return value


READERS: Mapping[str, Callable[[Any], Any]] = {
    "sampled": _sampled,
    "file": image_file_of,
    "image_content": ImageContent,
}
