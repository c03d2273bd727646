"""Step types that judge texts, and files of models."""

from typing import ClassVar

from civitai_mock.api.v2.steps.step_type import ResultStep, StepInput
from civitai_mock.domain.json_types import Json, as_list, as_number, as_object, as_text, as_texts
from civitai_mock.generation.job_types.moderation import (
    ModelClamScanSpec,
    ModelHashDraft,
    ModelMetadataSpec,
    ModelPickleScanSpec,
    TextGuardSpec,
    TextPolicySpec,
    TextsInImagesSpec,
)
from civitai_mock.generation.words.moderation import LABELS, Label

PROMPT_MODE, POSITIVE_PROMPT, TEXT = "prompt", "positivePrompt", "text"


class XGuardModeration(ResultStep):
    """Answers that no label is triggered, by a prompt text or any other."""

    name: ClassVar[str] = "xGuardModeration"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> TextGuardSpec:
        field = _text_field(step_input)
        labels = _labels(step_input.get("labels"), step_input.get("labelOverrides"), "label")
        return TextGuardSpec(text=step_input[field], field=field, labels=labels)


class ShieldstralModeration(ResultStep):
    """Answers that no policy is triggered."""

    name: ClassVar[str] = "shieldstralModeration"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> TextPolicySpec:
        policies = _labels(step_input.get("policies"), step_input.get("policyOverrides"), "name")
        return TextPolicySpec(text=step_input[_text_field(step_input)], policies=policies)


class BatchOCRSafetyClassification(ResultStep):
    """Answers that there is no text in some images."""

    name: ClassVar[str] = "batchOCRSafetyClassification"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> TextsInImagesSpec:
        return TextsInImagesSpec(media_urls=tuple(step_input["mediaUrls"]))


class ModelClamScan(ResultStep):
    """Answers that there is no virus in a model."""

    name: ClassVar[str] = "modelClamScan"

    def draft(self, step_input: StepInput, *, seed: int) -> ModelClamScanSpec:
        return ModelClamScanSpec(model=step_input["model"])


class ModelPickleScan(ResultStep):
    """Answers that a model runs no code of its own."""

    name: ClassVar[str] = "modelPickleScan"

    def draft(self, step_input: StepInput, *, seed: int) -> ModelPickleScanSpec:
        return ModelPickleScanSpec(model=step_input["model"])


class ModelHash(ResultStep):
    """Answers the hashes that the resource of a model states, and others in their place."""

    name: ClassVar[str] = "modelHash"

    def draft(self, step_input: StepInput, *, seed: int) -> ModelHashDraft:
        return ModelHashDraft(model=step_input["model"])


class ModelParseMetadata(ResultStep):
    """Answers what the header of a model says."""

    name: ClassVar[str] = "modelParseMetadata"

    def draft(self, step_input: StepInput, *, seed: int) -> ModelMetadataSpec:
        return ModelMetadataSpec(model=step_input["model"])


def _text_field(step_input: StepInput) -> str:
    return POSITIVE_PROMPT if step_input["mode"] == PROMPT_MODE else TEXT


def _labels(names: Json, overrides: Json, name_member: str) -> tuple[Label, ...]:
    """Return the labels that are named, or else all, and those that are overridden."""
    changed = {as_text(item.get(name_member)): item for item in map(as_object, as_list(overrides))}
    wanted = dict.fromkeys([*(as_texts(names) or LABELS), *changed])
    return tuple(_label(name, changed.get(name)) for name in wanted)


def _label(name: str, changes: Json) -> Label:
    plain, known = Label(name=name), as_object(changes)
    threshold = as_number(known.get("threshold"))
    return Label(
        name=name,
        action=as_text(known.get("action")) or plain.action,
        threshold=plain.threshold if threshold is None else threshold,
    )
