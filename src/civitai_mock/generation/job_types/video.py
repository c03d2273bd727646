"""Job types that make videos of prompt texts, or change and measure videos."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.file_recipes import DEFAULT_FPS, VIDEO_TYPE, VideoRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.operations import ChangeVideo, ExtractFrames, MeasureVideo
from civitai_mock.generation.work import DerivedWork, MediaWork, is_web_url

SECONDS_OF_A_SECOND = 4.0  # so long a model would work on a second of video


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoGenSpec(CompleteSpec):
    """Draws videos of a size, length and rate, as if a model of an `engine` had made them; each has its own seed.

    `sources`, the images, videos and sounds that it should start from, and the AIRs of `models` and `loras` are by
    their places in the request. The sources are not looked at: the text and the seed say what is drawn.
    """

    job_type: ClassVar[str] = "VideoGen"
    cost: ClassVar[float] = 130

    engine: str
    prompt: str = ""
    negative_prompt: str = ""
    steps: int = 0
    cfg_scale: float | None = None
    seed: int
    quantity: int = 1
    width: int
    height: int
    seconds: float
    fps: float = DEFAULT_FPS
    has_sound: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    loras: Mapping[str, str] = field(default_factory=dict)

    def references(self) -> Mapping[str, str]:
        return {**self.models, **self.loras}

    def image_urls(self) -> Mapping[str, str]:
        return {place: source for place, source in self.sources.items() if is_web_url(source)}

    def files(self) -> tuple[PlannedFile, ...]:
        return tuple(
            PlannedFile(content_type=VIDEO_TYPE, facts=recipe.facts, seed=recipe.sampled.seed)
            for recipe in self._recipes()
        )

    def own_work(self) -> MediaWork:
        return MediaWork(files=self._recipes(), seconds=SECONDS_OF_A_SECOND * self.seconds * self.quantity)

    def _recipes(self) -> tuple[VideoRecipe, ...]:
        return tuple(self._recipe(self.seed + place) for place in range(self.quantity))

    def _recipe(self, seed: int) -> VideoRecipe:
        sampled = SamplerPass(
            seed=seed,
            steps=self.steps,
            cfg=self.cfg_scale,
            prompt_text=self.prompt,
            negative_text=self.negative_prompt,
            model=self.engine,
        )
        return VideoRecipe(
            sampled=sampled,
            width=self.width,
            height=self.height,
            seconds=self.seconds,
            fps=self.fps,
            has_sound=self.has_sound,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOperationSpec(CompleteSpec):
    """Does something with the `video` at a URL or in a blob."""

    video: str

    def image_urls(self) -> Mapping[str, str]:
        return {"video": self.video} if is_web_url(self.video) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVideoSpec(VideoOperationSpec):
    """Makes the same clip in another size, at a higher rate, or as another kind of file: see `ChangeVideo`."""

    job_type: ClassVar[str] = "ChangeVideo"
    cost: ClassVar[float] = 10

    width: int | None = None
    height: int | None = None
    scale: int = 1
    frame_factor: int = 1
    content_type: str = VIDEO_TYPE

    def files(self) -> tuple[PlannedFile, ...]:
        return (PlannedFile(content_type=self.content_type, facts=BlobFacts(width=self.width, height=self.height)),)

    def own_work(self) -> DerivedWork:
        operation = ChangeVideo(
            width=self.width,
            height=self.height,
            scale=self.scale,
            frame_factor=self.frame_factor,
            content_type=self.content_type,
        )
        return DerivedWork(operation=operation, inputs=(self.video,), seconds=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractFramesSpec(VideoOperationSpec):
    """Makes images of a video: see `ExtractFrames`. How many there are is known once they are made."""

    job_type: ClassVar[str] = "ExtractFrames"
    cost: ClassVar[float] = 1

    fps: float = 1.0
    start: float = 0.0
    most: int | None = None
    unique_threshold: float = 0.9

    def own_work(self) -> DerivedWork:
        operation = ExtractFrames(
            fps=self.fps, start=self.start, most=self.most, unique_threshold=self.unique_threshold
        )
        return DerivedWork(operation=operation, inputs=(self.video,), seconds=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureVideoSpec(VideoOperationSpec):
    """Answers the size, rate and length of a video."""

    job_type: ClassVar[str] = "MeasureVideo"
    cost: ClassVar[float] = 0

    def own_work(self) -> DerivedWork:
        return DerivedWork(operation=MeasureVideo(), inputs=(self.video,), seconds=0.5)
