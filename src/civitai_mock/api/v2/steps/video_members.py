"""Read the inputs of videoGen: what each engine calls sizes, lengths, rates, sounds and what a video starts from.

As with images, the price is asked for while references are open, and members of words that are newer than the
description are as they were sent.
"""

from collections.abc import Iterator, Mapping

from civitai_mock.api.v2.steps.image_members import RATIO_TEXT, whole
from civitai_mock.api.v2.steps.step_type import StepInput
from civitai_mock.domain.json_types import Json, as_list, as_number, as_object, as_text
from civitai_mock.generation.file_recipes import DEFAULT_FPS, MOST_SIDE
from civitai_mock.generation.text_to_image.spec import Size

# The shorter side, by the words of engines for resolutions that are not its length (`720p`).
RESOLUTIONS: Mapping[str, int] = {"2k": 1440, "4k": 2160}
USUAL_SIDE, LEAST_SIDE = 720, 64
USUAL_RATIO = 16 / 9
USUAL_SECONDS, MOST_SECONDS = 5.0, 60.0
MOST_FPS = 60.0
MOST_VIDEOS = 10
SOUND_MEMBERS = ("generateAudio", "enableAudio", "enableBackgroundMusic")
ONE_SOURCE = (
    *("image", "sourceImage", "sourceImageUrl", "startImage", "firstFrame", "firstFrameImage", "referenceImage"),
    *(
        "endImage",
        "endSourceImage",
        "lastFrame",
        "lastFrameImage",
        "sourceVideo",
        "videoUrl",
        "sourceAudio",
        "audioUrl",
    ),
)
SOURCE_LISTS = ("images", "referenceImages", "referenceVideos", "referenceVideoUrls", "referenceAudios")


def video_count(members: StepInput) -> int:
    return whole(members, "quantity", low=1, high=MOST_VIDEOS) or 1


def video_size(members: StepInput) -> Size:
    """Return the size that is asked for, or the usual one; the shorter side is as long as the resolution says."""
    width, height = (whole(members, name, low=LEAST_SIDE, high=MOST_SIDE) for name in ("width", "height"))
    if width and height:
        return Size(width, height)
    side = _resolution(as_object(members).get("resolution"))
    ratio = _ratio(as_text(as_object(members).get("aspectRatio")))
    across, down = (side * ratio, side) if ratio >= 1 else (side, side / ratio)
    return Size(*(min(round(length / 2) * 2, MOST_SIDE) for length in (across, down)))


def _ratio(text: str) -> float:
    """Return width by height; words like `auto` stand for the usual one, as sources are not looked at."""
    found = RATIO_TEXT.fullmatch(text)
    across, down = (float(found[1]), float(found[2])) if found else (0, 0)
    return across / down if across and down else USUAL_RATIO


def _resolution(value: Json) -> int:
    word = as_text(value).lower()
    number = as_number(value)
    if number is None and word.removesuffix("p").isdecimal():
        number = float(word.removesuffix("p"))
    return RESOLUTIONS.get(word, USUAL_SIDE) if number is None else min(max(int(number), LEAST_SIDE), MOST_SIDE)


def video_seconds(members: StepInput) -> float:
    """Return the length of a video; what extends another one has so many frames more, which are those that are made."""
    known = as_object(members)
    frames, duration = as_number(known.get("numFrames")), known.get("duration")
    if frames is not None:
        seconds: float | None = frames / video_fps(members)
    elif isinstance(duration, str) and duration.isdecimal():  # of kling
        seconds = float(duration)
    else:
        seconds = as_number(duration)
    return USUAL_SECONDS if seconds is None else min(max(seconds, 1.0), MOST_SECONDS)


def video_fps(members: StepInput) -> float:
    known = as_object(members)
    rates = (as_number(known.get(name)) for name in ("fps", "frameRate"))
    return next((min(max(rate, 1.0), MOST_FPS) for rate in rates if rate is not None), DEFAULT_FPS)


def has_sound(members: StepInput) -> bool:
    known = as_object(members)
    return any(known.get(name) is True for name in SOUND_MEMBERS) or bool(
        as_text(known.get("sourceAudio")) or as_text(known.get("audioUrl"))
    )


def video_sources(members: StepInput) -> Mapping[str, str]:
    """Return what a video starts from, by the places in the input."""
    return {place: source for place, source in _sources(members) if isinstance(source, str) and source}


def _sources(members: StepInput) -> Iterator[tuple[str, Json]]:
    known = as_object(members)
    yield from ((name, known.get(name)) for name in ONE_SOURCE)
    for name in SOURCE_LISTS:
        yield from ((f"{name}[{index}]", source) for index, source in enumerate(as_list(known.get(name))))
    for index, frame in enumerate(as_list(known.get("keyframes"))):
        yield f"keyframes[{index}].image", as_object(frame).get("image")
