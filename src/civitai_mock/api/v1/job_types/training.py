"""`imageResourceTraining` trains a LoRA, epoch by epoch."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from civitai_mock.api.v1.job_types.image_params import MAX_SEED
from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.wire import PromptText, Reference, RequestModel, Uri
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types.training import TrainingDraft, TrainingSpec
from civitai_mock.generation.job_types.training import TrainingParams as Params

MOST_EPOCHS = 100


class TrainingParams(RequestModel):
    """Only these members are read; any other one is stored, and shown, as it is."""

    model_config = ConfigDict(extra="allow")

    max_train_epochs: Annotated[int, Field(strict=True, ge=1, le=MOST_EPOCHS)] | None = None
    sample_prompts: Annotated[list[PromptText], Field(max_length=10)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)] | None = None


def _params(value: object) -> object:
    return {} if value is None else value


class ImageResourceTrainingJobRequest(JobRequest):
    """The job trains a LoRA: file and sample images of each epoch are assets as soon as they are made.

    `trainingData` is not fetched; the files are small and valid, and of no use for drawing.
    """

    wire_name: ClassVar[str] = "imageResourceTraining"
    template_name: ClassVar[str] = "ImageResourceTrainingJobTemplate"
    job_type: ClassVar[str] = TrainingSpec.job_type

    model: Reference
    training_data: Uri
    params: Annotated[TrainingParams, BeforeValidator(_params)] = Field(default_factory=TrainingParams)

    def draft(self) -> TrainingDraft:
        others = {name: value for name, value in (self.params.model_extra or {}).items() if value is not None}
        prompts = self.params.sample_prompts
        params = Params(
            max_train_epochs=self.params.max_train_epochs,
            sample_prompts=None if prompts is None else tuple(prompts),
            seed=self.params.seed,
            others=others,
        )
        return TrainingDraft(model=self.model, training_data=self.training_data, params=params)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        shown = {name: value for name, value in job.spec.items() if name != "seed"}
        return {**shown, "model": job.resources[0].air.compressed}
