"""Step types that say something of a media file: its hash, tags, ratings, captions, transcripts."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.step_type import Blobs, ResultStep, StepInput, result_of
from civitai_mock.domain.errors import fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types.judgements import (
    AgeClassificationSpec,
    AudioCaptionSpec,
    HashMediaSpec,
    ImageScoresSpec,
    MediaCaptionSpec,
    MediaRatingSpec,
    MediaTagsSpec,
    TranscriptionSpec,
)
from civitai_mock.generation.words.media import AI, ANIME, HUMAN

# By the names of the members of an input, those of an output.
RECOGNITIONS: Mapping[str, str] = {
    "includeAIRecognition": AI,
    "includeAnimeRecognition": ANIME,
    "includeHumanRecognition": HUMAN,
}


class MediaHash(ResultStep):
    """Answers the same hash for each of the types that are asked for: both that are known are perceptual."""

    name: ClassVar[str] = "mediaHash"
    paths: ClassVar[Mapping[str, str]] = {"media": "mediaUrl"}

    def draft(self, step_input: StepInput, *, seed: int) -> HashMediaSpec:
        return HashMediaSpec(media=step_input["mediaUrl"])

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        found = result_of(jobs)
        return found and {"hashes": dict.fromkeys(step_input["hashTypes"], found["perceptual"])}


class WDTagging(ResultStep):
    """Answers the tags at or above a threshold."""

    name: ClassVar[str] = "wdTagging"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> MediaTagsSpec:
        return MediaTagsSpec(
            media=step_input["mediaUrl"],
            model=step_input.get("model", ""),
            threshold=step_input.get("threshold"),
        )


class MediaRating(ResultStep):
    """Answers how mature a file is; clients send it as `image` or as `mediaUrl`."""

    name: ClassVar[str] = "mediaRating"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> MediaRatingSpec:
        media = step_input.get("mediaUrl") or step_input.get("image")
        if not media:
            raise fault("mediaUrl", "The mediaUrl field is required.")
        return MediaRatingSpec(
            media=media,
            detects_age=step_input["includeAgeClassification"],
            detects_body_age=step_input.get("includeBodyAgeClassification", False),
            detects_faces=step_input["includeFaceRecognition"],
            recognizes=tuple(answer for asked, answer in RECOGNITIONS.items() if step_input.get(asked)),
        )


class MediaCaptioning(ResultStep):
    """Answers a sentence that describes an image or a video."""

    name: ClassVar[str] = "mediaCaptioning"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> MediaCaptionSpec:
        return MediaCaptionSpec(media=step_input["mediaUrl"], instructions=step_input.get("customInstructions", ""))


class AudioCaptioning(ResultStep):
    """Answers what a sound is like."""

    name: ClassVar[str] = "audioCaptioning"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> AudioCaptionSpec:
        return AudioCaptionSpec(media=step_input["mediaUrl"])


class Transcription(ResultStep):
    """Answers what is said; it costs 1 Buzz for each 30 seconds, and none of it is longer here."""

    name: ClassVar[str] = "transcription"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> TranscriptionSpec:
        return TranscriptionSpec(
            media=step_input["mediaUrl"],
            language=step_input.get("language"),
            has_time_stamps=step_input["returnTimeStamps"],
        )


class AgeClassification(ResultStep):
    """Answers how old people look."""

    name: ClassVar[str] = "ageClassification"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> AgeClassificationSpec:
        return AgeClassificationSpec(media=step_input["mediaUrl"])


class QwenImageBench(ResultStep):
    """Answers scores of images, by the ids that they were sent with."""

    name: ClassVar[str] = "qwenImageBench"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> ImageScoresSpec:
        return ImageScoresSpec(
            sources={item["id"]: item["image"] for item in step_input["items"]},
            dimensions=tuple(step_input["dimensions"]),
            seed=step_input["seed"],
        )
