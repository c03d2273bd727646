"""What models say of images, videos and sounds: tags, ratings, captions, transcripts; none of it is alarming.

Each takes a text that stands for the content (see `JudgeMedia`), and answers the same for the same text.
"""

from collections.abc import Collection, Sequence

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
# The names by which transcripts call languages (documentation); another one is called as it was asked for.
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
ELAPSED_SECONDS = 0.8
AI, ANIME, HUMAN = "aiRecognition", "animeRecognition", "humanRecognition"
RECOGNITIONS = {AI: "ai", ANIME: "not_anime", HUMAN: "no_human"}
KEYS = ("C major", "G major", "A minor", "D minor")


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
    detects_body_age: bool = False,
    detects_faces: bool = False,
    recognizes: Collection[str] = (),
) -> JsonObject:
    """Return the output of v2's mediaRating; `recognizes` are those of `RECOGNITIONS` that are asked for."""
    random = seeded_random("rating", content)
    answer: JsonObject = {"nsfwLevel": level, "isBlocked": False}
    if detects_age:
        answer["ageClassification"] = {"detections": []}
    if detects_body_age:
        answer["bodyAgeClassification"] = {"detections": []}
    if detects_faces:
        answer["faceRecognition"] = {"faces": []}
    for name, label in RECOGNITIONS.items():
        if name in recognizes:
            answer[name] = _recognition(name, label, round(random.uniform(0.8, 0.99), 4))
    return answer


def _recognition(name: str, label: str, confidence: float) -> JsonObject:
    found: JsonObject = {"label": label, "confidence": confidence}
    if name != HUMAN:
        return found
    return {**found, "humanScore": round(1 - confidence, 4), "noHumanScore": confidence}


def described(content: str, *, instructions: str = "") -> JsonObject:
    """Return the output of v2's mediaCaptioning."""
    return {"caption": caption(seeded_random(content, instructions))}


def described_sound(content: str) -> JsonObject:
    """Return one result of v2's audioCaptioning."""
    random = seeded_random("sound", content)
    text = "A calm melody of plain tones."
    beats, key = random.randrange(60, 160), random.choice(KEYS)
    return {"text": text, "caption": text, "bpm": str(beats), "keyScale": key, "timeSignature": "4", "language": "en"}


def scores(content: str, *, dimensions: Sequence[str], seed: int) -> JsonObject:
    """Return the result of one image in v2's qwenImageBench: good scores, of 1."""
    random = seeded_random("scores", content, str(seed))
    found: dict[str, float] = {name: round(random.uniform(0.6, 0.95), 3) for name in dimensions}
    total = round(sum(found.values()) / len(found), 3) if found else None
    nodes: list[Json] = [{"name": name, "score": score, "children": []} for name, score in found.items()]
    return {"fieldScores": {**found}, "totalScore": total, "scores": nodes, "rawOutputs": {}, "errors": {}}


def no_ages() -> JsonObject:
    """Return the output of v2's ageClassification for a file on which nobody is seen."""
    return {
        "labels": {},
        "hasMinor": False,
        "numPredictions": 0,
        "numFlagged": 0,
        "faceRecognitionAvailable": False,
    }


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
        "language": LANGUAGES.get((language or "en").lower(), language or ""),
        "timeStamps": stamps if has_time_stamps else [],
        "elapsedSeconds": ELAPSED_SECONDS,
    }
