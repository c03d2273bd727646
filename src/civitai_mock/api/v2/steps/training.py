"""Step types that train models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.image_members import is_air, whole
from civitai_mock.api.v2.steps.step_type import Blobs, OneJobStep, StepInput, slots_of
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_text, as_texts
from civitai_mock.domain.media import MediaKind
from civitai_mock.generation.job_types.model_training import ModelTrainingSpec
from civitai_mock.generation.job_types.training import DEFAULT_EPOCHS, DEFAULT_PROMPT

APPROVED = "approved"
MOST_EPOCHS = 200
ENGINES_OF_ONE_EPOCH = frozenset({"flux-dev-fast", "flux2-dev", "flux2-dev-edit"})
MOST_SAMPLES = 20  # of an epoch
# What samples are, by the beginnings of ecosystems that do not make images.
SAMPLE_KINDS: Mapping[str, MediaKind] = {
    "ace": MediaKind.AUDIO,
    "ltx": MediaKind.VIDEO,
    "wan": MediaKind.VIDEO,
    "minimax": MediaKind.VIDEO,
}


class Training(OneJobStep):
    """Makes one epoch after the other, each with its weights and samples; those that are over are shown."""

    name: ClassVar[str] = "training"
    price: ClassVar[int] = 500

    def draft(self, step_input: StepInput, *, seed: int) -> ModelTrainingSpec:
        ecosystem = as_text(step_input.get("ecosystem"))
        begin = next((begin for begin in SAMPLE_KINDS if ecosystem.lower().startswith(begin)), "")
        return ModelTrainingSpec(
            engine=step_input["engine"],
            ecosystem=ecosystem,
            training_data=_training_data(as_object(step_input["trainingData"])),
            epochs=_epochs(step_input),
            prompts=_sample_prompts(step_input),
            sample_kind=SAMPLE_KINDS.get(begin, MediaKind.IMAGE),
            seed=seed,
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        if not jobs:
            return None
        samples = len(_sample_prompts(step_input))
        epochs: list[Json] = [
            {
                "epochNumber": number,
                "model": blobs.render(slots[0]),
                "samples": [blobs.render(slot) for slot in slots[1:]],
            }
            for number, slots in _finished_epochs(jobs, samples=samples)
        ]
        return {"moderationStatus": APPROVED, "epochs": epochs}


class ImageResourceTraining(OneJobStep):
    """Makes the same as `Training` in the words of an older form, whose epochs have URLs in the place of blobs."""

    name: ClassVar[str] = "imageResourceTraining"
    price: ClassVar[int] = 500

    def draft(self, step_input: StepInput, *, seed: int) -> ModelTrainingSpec:
        model = step_input["model"]
        return ModelTrainingSpec(
            engine=step_input["engine"],
            model=model if is_air(model) else None,
            ecosystem="" if is_air(model) else model,
            training_data=step_input["trainingData"],
            epochs=_epochs(step_input),
            prompts=_prompts(step_input.get("samplePrompts")),
            seed=seed,
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        if not jobs:
            return None
        prompts: list[Json] = [*_prompts(as_object(step_input).get("samplePrompts"))]
        epochs: list[Json] = [
            {
                "epochNumber": number,
                "blobName": slots[0].blob_key,
                "blobUrl": blobs.render(slots[0])["url"],
                "sampleImages": [url for slot in slots[1:] if (url := blobs.render(slot).get("url"))],
            }
            for number, slots in _finished_epochs(jobs, samples=len(prompts))
        ]
        return {"moderationStatus": APPROVED, "epochs": epochs, "sampleImagesPrompts": prompts}


def _training_data(data: JsonObject) -> str:
    """Return where the images are: in one zip, or each by itself."""
    items = [as_text(as_object(item).get("air")) for item in as_list(data.get("items"))]
    return as_text(data.get("sourceUrl")) or " ".join(items)


def _epochs(step_input: StepInput) -> int:
    if as_object(step_input).get("engine") in ENGINES_OF_ONE_EPOCH:
        return 1
    counts = (whole(step_input, name, low=0, high=MOST_EPOCHS) for name in ("epochs", "maxTrainEpochs"))
    return next((count for count in counts if count), DEFAULT_EPOCHS)


def _sample_prompts(step_input: StepInput) -> tuple[str, ...]:
    return _prompts(as_object(as_object(step_input).get("samples")).get("prompts"))


def _prompts(value: Json) -> tuple[str, ...]:
    return as_texts(value)[:MOST_SAMPLES] or (DEFAULT_PROMPT,)


def _finished_epochs(jobs: Sequence[Job], *, samples: int) -> Iterator[tuple[int, Sequence[Slot]]]:
    """Yield the number and the slots of each epoch that is over: first that of its weights, then those of samples."""
    slots = list(slots_of(jobs))
    for number, start in enumerate(range(0, len(slots), 1 + samples), start=1):
        epoch = slots[start : start + 1 + samples]
        if all(slot.available for slot in epoch):
            yield number, epoch
