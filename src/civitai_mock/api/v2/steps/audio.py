"""Step types that make speech and music, and compose sounds, images and videos."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from civitai_mock.api.v2.steps.image_members import image_seeds, model_airs, network_drafts, whole
from civitai_mock.api.v2.steps.prices import music_price, speech_price
from civitai_mock.api.v2.steps.step_type import Blobs, FileStep, OneJobStep, StepInput, slots_of
from civitai_mock.domain.blob import Shown
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text
from civitai_mock.domain.media import MediaKind, kind_of, type_of_name
from civitai_mock.generation.file_recipes import DEFAULT_FPS, LEAST_SIDE, MOST_SIDE, VIDEO_TYPE
from civitai_mock.generation.job_types.audio import MUSIC_TYPE, SPEECH_TYPE, CompositionSpec, MusicSpec, SpeechSpec

AUDIO, VIDEO = "audio", "video"
BUILT_IN, CLONED = "custom_voice", "base"  # voices, in the words of the official client
SOUNDS: Mapping[str, str] = {"ogg": SPEECH_TYPE, "mp3": MUSIC_TYPE}
ELEMENT_SECONDS = 5.0
MOST_SECONDS = 120.0
MOST_FPS = 60.0


class TextToSpeech(OneJobStep):
    """Speaks a text in tones; it can be listened to while it is made, as its URL is that of a stream."""

    name: ClassVar[str] = "textToSpeech"

    def cost(self, step_input: StepInput) -> StepCost:
        return speech_price(step_input)

    def draft(self, step_input: StepInput, *, seed: int) -> SpeechSpec:
        return SpeechSpec(text=step_input["text"], speaker=as_text(step_input.get("speaker")))

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        slot = next(slots_of(jobs), None)
        if slot is None:
            return None
        speaker = as_text(as_object(step_input).get("speaker"))
        told: JsonObject = {"modelType": BUILT_IN, "speaker": speaker} if speaker else {"modelType": CLONED}
        return {"audioBlob": blobs.render(slot, shown=Shown.STREAM), **told}


class AceStepAudio(FileStep):
    """Makes music of a length."""

    name: ClassVar[str] = "aceStepAudio"
    paths: ClassVar[Mapping[str, str]] = {"cover": "cover.imageUrl"}
    member: ClassVar[str] = "blob"

    def cost(self, step_input: StepInput) -> StepCost:
        return music_price(step_input)

    def draft(self, step_input: StepInput, *, seed: int) -> MusicSpec:
        networks = {network.name or network.air: network.air for network in network_drafts(step_input)}
        return MusicSpec(
            description=step_input["musicDescription"],
            seconds=step_input["duration"],
            seed=image_seeds(step_input, drawn=seed, jobs=1)[0],
            cover=as_text(as_object(step_input.get("cover")).get("imageUrl")) or None,
            models={**model_airs(step_input), **networks},
        )


class Element(NamedTuple):
    """Says when an element of a composition is heard or seen, in seconds."""

    start: float
    seconds: float


class ComposeMedia(OneJobStep):
    """Makes one sound or video of several files; each counts as 5 seconds long, as it is not looked at."""

    name: ClassVar[str] = "composeMedia"
    price: ClassVar[int] = 10

    def draft(self, step_input: StepInput, *, seed: int) -> CompositionSpec:
        sent, end = as_list(step_input["elements"]), 0.0
        for element in _timeline(sent):
            end = max(end, element.start + element.seconds)
        urls = {f"elements[{index}].url": as_text(as_object(one).get("url")) for index, one in enumerate(sent)}
        seconds = min(max(end, 1.0), MOST_SECONDS)
        elements = {place: url for place, url in urls.items() if url}
        if _is_sound(step_input):
            container = as_text(as_object(step_input.get("output")).get("container"))
            return CompositionSpec(
                elements=elements, seconds=seconds, content_type=SOUNDS.get(container.lower(), SPEECH_TYPE)
            )
        canvas = as_object(step_input.get("canvas"))
        return CompositionSpec(
            elements=elements,
            seconds=seconds,
            content_type=VIDEO_TYPE,
            width=whole(canvas, "width", low=LEAST_SIDE, high=MOST_SIDE) or 1280,
            height=whole(canvas, "height", low=LEAST_SIDE, high=MOST_SIDE) or 720,
            fps=min(max(as_number(canvas.get("fps")) or DEFAULT_FPS, 1.0), MOST_FPS),
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        slot = next(slots_of(jobs), None)
        if slot is None:
            return None
        kind = AUDIO if _is_sound(step_input) else VIDEO
        elements: list[Json] = [
            {"startSeconds": element.start, "duration": element.seconds}
            for element in _timeline(as_list(step_input["elements"]))
        ]
        return {"type": kind, f"{kind}Blob": blobs.render(slot), "elements": elements}


def _is_sound(step_input: StepInput) -> bool:
    """Return whether a sound is asked for: by its type, by the kind of file, or else by elements that are all sounds.

    What an element is shows its name alone; one without an extension counts as a video (documentation).
    """
    output = as_object(step_input.get("output"))
    kind, container = as_text(output.get("type")).lower(), as_text(output.get("container")).lower()
    if kind or container:
        return kind == AUDIO or (not kind and container in SOUNDS)
    urls = [as_text(as_object(element).get("url")) for element in as_list(step_input["elements"])]
    return bool(urls) and all(kind_of(type_of_name(urlsplit(url).path)) is MediaKind.AUDIO for url in urls)


def _timeline(elements: Sequence[Json]) -> Sequence[Element]:
    """Return when each element begins: where it says, or else when the one before it ends."""
    found: list[Element] = []
    end = 0.0
    for element in map(as_object, elements):
        at = as_number(element.get("at"))
        start = end if at is None else min(max(at, 0.0), MOST_SECONDS)
        found.append(Element(start, ELEMENT_SECONDS))
        end = start + ELEMENT_SECONDS
    return found
