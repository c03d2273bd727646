"""What models say of images, videos and sounds: tags, ratings, captions, transcripts; none of it is alarming.

Each takes a text that stands for the content (see `JudgeMedia`), and answers the same for the same text.
"""

from collections.abc import Sequence

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.generation.placeholder_results import (
    BOORU_TAGS,
    RATINGS,
    caption,
    confidences,
    seeded_random,
    shares,
)

DEFAULT_THRESHOLD = 0.35
SENTENCES = (
    "This transcript stands in for one that a model would write.",
    "Nobody has listened to the recording.",
    "The words are the same each time it is sent.",
)
SECONDS_OF_A_WORD = 0.4
ELAPSED_SECONDS = 0.8
RECOGNITIONS = ("aiRecognition", "animeRecognition")


def tags(content: str, *, model: str = "", threshold: float | None = None) -> JsonObject:
    """Return the output of v2's wdTagging: tags at or above the threshold, and shares of ratings."""
    random = seeded_random(model, content)
    least = DEFAULT_THRESHOLD if threshold is None else threshold
    found = {tag: score for tag, score in confidences(BOORU_TAGS, random).items() if score >= least}
    return {"tags": {**found}, "rating": {**shares(RATINGS, random)}}


def rating(
    content: str,
    *,
    level: NsfwLevel = NsfwLevel.PG,
    detects_age: bool = False,
    detects_faces: bool = False,
    recognizes: Sequence[str] = (),
) -> JsonObject:
    """Return the output of v2's mediaRating; `recognizes` are those of `RECOGNITIONS` that are asked for."""
    random = seeded_random("rating", content)
    answer: JsonObject = {"nsfwLevel": level, "isBlocked": False}
    if detects_age:
        answer["ageClassification"] = {"detections": []}
    if detects_faces:
        answer["faceRecognition"] = {"faces": []}
    for name, label in zip(RECOGNITIONS, ("ai", "not_anime"), strict=True):
        if name in recognizes:
            answer[name] = {"label": label, "confidence": round(random.uniform(0.8, 0.99), 4)}
    return answer


def described(content: str, *, instructions: str = "") -> JsonObject:
    """Return the output of v2's mediaCaptioning."""
    return {"caption": caption(seeded_random(content, instructions))}


def transcript(content: str, *, language: str | None = None, has_time_stamps: bool = True) -> JsonObject:
    """Return the output of v2's transcription: some sentences, each with the seconds at which it begins and ends."""
    sentences = list(SENTENCES)
    seeded_random("transcript", content).shuffle(sentences)
    stamps: list[Json] = []
    start = 0.0
    for sentence in sentences:
        end = round(start + SECONDS_OF_A_WORD * len(sentence.split()), 2)
        stamps.append({"text": sentence, "startTime": start, "endTime": end})
        start = end
    return {
        "text": " ".join(sentences),
        "language": language or "en",
        "timeStamps": stamps if has_time_stamps else [],
        "elapsedSeconds": ELAPSED_SECONDS,
    }
