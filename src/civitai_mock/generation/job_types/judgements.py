"""Job types that say something of a media file: its hash, and what models would say of it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types.draft import CompleteSpec
from civitai_mock.generation.operations import HashMedia, JudgeMedia
from civitai_mock.generation.words import media
from civitai_mock.generation.work import DerivedWork, ResultWork, is_web_url


@dataclass(frozen=True, slots=True, kw_only=True)
class HashMediaSpec(CompleteSpec):
    """Answers the perceptual hash of an image, or of the first frame of a video."""

    job_type: ClassVar[str] = "HashMedia"
    cost: ClassVar[float] = 0

    media: str

    def image_urls(self) -> Mapping[str, str]:
        return {"media": self.media} if is_web_url(self.media) else {}

    def own_work(self) -> DerivedWork:
        return DerivedWork(operation=HashMedia(), inputs=(self.media,), seconds=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementSpec(CompleteSpec):
    """Answers the same for the same content or, where that cannot be had, for the same URL."""

    cost: ClassVar[float] = 1
    seconds: ClassVar[float] = 1.5

    media: str

    @abstractmethod
    def judge(self, content: str) -> JsonObject:
        """Return what is said of a content, for which a text stands."""

    def own_work(self) -> DerivedWork:
        operation = JudgeMedia(judge=self.judge)
        return DerivedWork(operation=operation, inputs=(self.media,), seconds=self.seconds, needs_inputs=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTagsSpec(JudgementSpec):
    """Answers tags and ratings as a WD tagger gives them; see `MediaTaggingSpec` for those of v1."""

    job_type: ClassVar[str] = "MediaTags"

    model: str = ""
    threshold: float | None = None

    def judge(self, content: str) -> JsonObject:
        return media.tags(content, model=self.model, threshold=self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRatingSpec(JudgementSpec):
    """Answers that everybody may see it, and what else was asked for."""

    job_type: ClassVar[str] = "MediaRating"

    detects_age: bool = False
    detects_body_age: bool = False
    detects_faces: bool = False
    recognizes: tuple[str, ...] = ()

    def judge(self, content: str) -> JsonObject:
        return media.rating(
            content,
            detects_age=self.detects_age,
            detects_body_age=self.detects_body_age,
            detects_faces=self.detects_faces,
            recognizes=self.recognizes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaCaptionSpec(JudgementSpec):
    """Answers a sentence; see `MediaCaptioningSpec` for that of v1, which does not fetch the file."""

    job_type: ClassVar[str] = "MediaCaption"
    seconds: ClassVar[float] = 2.5

    instructions: str = ""

    def judge(self, content: str) -> JsonObject:
        return media.described(content, instructions=self.instructions)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioCaptionSpec(JudgementSpec):
    """Answers what a sound is like, by the URL that it was sent as."""

    job_type: ClassVar[str] = "AudioCaption"
    seconds: ClassVar[float] = 2.5

    def judge(self, content: str) -> JsonObject:
        return {"results": {self.media: media.described_sound(content)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionSpec(JudgementSpec):
    """Answers some sentences as if they were heard."""

    job_type: ClassVar[str] = "Transcription"
    seconds: ClassVar[float] = media.ELAPSED_SECONDS

    language: str | None = None
    has_time_stamps: bool = True

    def judge(self, content: str) -> JsonObject:
        return media.transcript(content, language=self.language, has_time_stamps=self.has_time_stamps)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeClassificationSpec(JudgementSpec):
    """Answers that nobody is seen."""

    job_type: ClassVar[str] = "AgeClassification"

    def judge(self, content: str) -> JsonObject:
        del content
        return media.no_ages()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScoresSpec(CompleteSpec):
    """Answers how well images show what was asked for, in some dimensions; they are not fetched.

    The `sources` are the images, by their names.
    """

    job_type: ClassVar[str] = "ImageScores"
    cost: ClassVar[float] = 1

    sources: Mapping[str, str]
    dimensions: tuple[str, ...]
    seed: int

    def own_work(self) -> ResultWork:
        scores = {
            name: media.scores(image, dimensions=self.dimensions, seed=self.seed)
            for name, image in self.sources.items()
        }
        return ResultWork(result={"results": {**scores}}, seconds=2.0)
