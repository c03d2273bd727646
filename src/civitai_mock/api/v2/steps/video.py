"""Step types that make, change and measure videos."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from civitai_mock.api.v2.steps.image_members import image_seeds, model_airs, network_drafts, whole
from civitai_mock.api.v2.steps.prices import video_price
from civitai_mock.api.v2.steps.step_type import (
    Blobs,
    FileStep,
    OneJobStep,
    ResultStep,
    StepInput,
    have_succeeded,
    result_of,
    slots_of,
)
from civitai_mock.api.v2.steps.video_members import (
    has_sound,
    video_count,
    video_fps,
    video_seconds,
    video_size,
    video_sources,
)
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dotnet import format_timespan
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, as_list, as_number, as_object, as_text
from civitai_mock.generation.file_recipes import MOST_SIDE, VIDEO_TYPE, WEBM_TYPE
from civitai_mock.generation.job_types.video import ChangeVideoSpec, ExtractFramesSpec, MeasureVideoSpec, VideoGenSpec

MOST_STEPS = 1000
MOST_FRAME_FACTOR = 16


class VideoGen(OneJobStep):
    """Makes one job, whatever the engine, with as many videos as are asked for."""

    name: ClassVar[str] = "videoGen"

    def cost(self, step_input: StepInput) -> StepCost:
        return video_price(step_input)

    def draft(self, step_input: StepInput, *, seed: int) -> VideoGenSpec:
        known, size = as_object(step_input), video_size(step_input)
        scale = as_number(known.get("cfgScale"))
        return VideoGenSpec(
            engine=as_text(known.get("engine")),
            prompt=as_text(known.get("prompt")),
            negative_prompt=as_text(known.get("negativePrompt")),
            steps=whole(step_input, "steps", low=1, high=MOST_STEPS) or 0,
            cfg_scale=as_number(known.get("guidanceScale")) if scale is None else scale,
            seed=image_seeds(step_input, drawn=seed, jobs=1)[0],
            quantity=video_count(step_input),
            width=size.width,
            height=size.height,
            seconds=video_seconds(step_input),
            fps=video_fps(step_input),
            has_sound=has_sound(step_input),
            sources=video_sources(step_input),
            models=model_airs(step_input),
            loras={network.name or network.air: network.air for network in network_drafts(step_input)},
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        videos = blobs.render_all(jobs)
        if not videos:
            return None
        return {"video": videos[0], **({"additionalVideos": videos[1:]} if videos[1:] else {})}

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        shots = (as_text(as_object(shot).get("prompt")) for shot in as_list(as_object(step_input).get("multiPrompt")))
        return [*super().prompt_texts(step_input), *(text for text in shots if text)]


class VideoInterpolation(FileStep):
    """Shows the same clip with more frames a second."""

    name: ClassVar[str] = "videoInterpolation"
    price: ClassVar[int] = 10
    member: ClassVar[str] = "video"

    def draft(self, step_input: StepInput, *, seed: int) -> ChangeVideoSpec:
        return ChangeVideoSpec(video=step_input["video"], frame_factor=step_input["interpolationFactor"])


class VideoUpscaler(FileStep):
    """Makes the sides of a clip longer."""

    name: ClassVar[str] = "videoUpscaler"
    price: ClassVar[int] = 10
    member: ClassVar[str] = "video"

    def draft(self, step_input: StepInput, *, seed: int) -> ChangeVideoSpec:
        return ChangeVideoSpec(video=step_input["video"], scale=step_input["scaleFactor"])


class VideoEnhancement(FileStep):
    """Shows a clip in the size that an upscaler is asked for, with as many frames as an interpolation is."""

    name: ClassVar[str] = "videoEnhancement"
    price: ClassVar[int] = 10
    paths: ClassVar[Mapping[str, str]] = {"video": "sourceUrl"}
    member: ClassVar[str] = "video"

    def draft(self, step_input: StepInput, *, seed: int) -> ChangeVideoSpec:
        upscaler, interpolation = (as_object(step_input.get(name)) for name in ("upscaler", "interpolation"))
        return ChangeVideoSpec(
            video=step_input["sourceUrl"],
            width=whole(upscaler, "width", low=2, high=MOST_SIDE),
            height=whole(upscaler, "height", low=2, high=MOST_SIDE),
            frame_factor=whole(interpolation, "multiplier", low=1, high=MOST_FRAME_FACTOR) or 1,
        )


class VideoBackgroundRemoval(FileStep):
    """Shows the same clip: H.264 has no transparency."""

    name: ClassVar[str] = "videoBackgroundRemoval"
    price: ClassVar[int] = 10
    member: ClassVar[str] = "video"

    def draft(self, step_input: StepInput, *, seed: int) -> ChangeVideoSpec:
        return ChangeVideoSpec(video=step_input["video"])


class Transcode(OneJobStep):
    """Writes a clip in a width, as MP4 or WebM. Nothing is sent to a `destinationUrl`."""

    name: ClassVar[str] = "transcode"
    price: ClassVar[int] = 1
    paths: ClassVar[Mapping[str, str]] = {"video": "sourceUrl"}
    MEMBERS: ClassVar[Sequence[str]] = ("id", "available", "url", "urlExpiresAt", "jobId")

    def draft(self, step_input: StepInput, *, seed: int) -> ChangeVideoSpec:
        return ChangeVideoSpec(
            video=step_input["sourceUrl"],
            width=whole(step_input, "width", low=2, high=MOST_SIDE),
            content_type=WEBM_TYPE if as_text(step_input.get("containerFormat")).lower() == "webm" else VIDEO_TYPE,
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        shown = (blobs.render(slot) for slot in slots_of(jobs))
        return next(({name: blob[name] for name in self.MEMBERS if name in blob} for blob in shown), None)


class VideoFrameExtraction(OneJobStep):
    """Makes images of a video; how many there are is known once they are made."""

    name: ClassVar[str] = "videoFrameExtraction"
    price: ClassVar[int] = 1
    paths: ClassVar[Mapping[str, str]] = {"video": "videoUrl"}

    def draft(self, step_input: StepInput, *, seed: int) -> ExtractFramesSpec:
        return ExtractFramesSpec(
            video=step_input["videoUrl"],
            fps=step_input["frameRate"],
            start=step_input["startTime"],
            most=step_input.get("maxFrames"),
            unique_threshold=step_input["uniqueThreshold"],
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        frames = blobs.render_all(jobs)
        return {"frames": frames, "totalFramesExtracted": len(frames)} if have_succeeded(jobs) else None


class VideoMetadata(ResultStep):
    """Answers the size, rate and length of a video."""

    name: ClassVar[str] = "videoMetadata"

    def draft(self, step_input: StepInput, *, seed: int) -> MeasureVideoSpec:
        return MeasureVideoSpec(video=step_input["video"])

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        found = result_of(jobs)
        return found and {**found, "duration": format_timespan(timedelta(seconds=as_number(found["duration"]) or 0))}
