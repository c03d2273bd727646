"""`imageResourceTraining` trains a LoRA, epoch by epoch."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.request import JobRequest, Plan
from civitai_mock.generation.placeholder_results import seeded_random, small_lora
from civitai_mock.generation.text_to_image.params import MAX_SEED
from civitai_mock.generation.wire import PromptText, Reference, RequestModel, Uri, WireModel
from civitai_mock.generation.work import Epoch, Sample, TrainingWork

COST = 500.0
SECONDS_PER_EPOCH = 4.0
DEFAULT_EPOCHS, MOST_EPOCHS = 10, 100
DEFAULT_PROMPT = "a picture in the new style"


class TrainingParams(RequestModel):
    """Only these members are read; any other one is stored, and shown, as it is."""

    model_config = ConfigDict(extra="allow")

    max_train_epochs: Annotated[int, Field(strict=True, ge=1, le=MOST_EPOCHS)] | None = None
    sample_prompts: Annotated[list[PromptText], Field(max_length=10)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)] | None = None


def _params(value: object) -> object:
    return {} if value is None else value


class CompleteTraining(WireModel):
    """Is a request as it is stored."""

    model: str
    training_data: str
    params: TrainingParams
    seed: int

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        return tuple(self._epoch(number) for number in range(1, self._count + 1))

    @property
    def _count(self) -> int:
        return self.params.max_train_epochs or DEFAULT_EPOCHS

    def _epoch(self, number: int) -> Epoch:
        prompts = self.params.sample_prompts or [DEFAULT_PROMPT]
        return Epoch(
            number=number,
            model_name=f"epoch-{number}.safetensors",
            model=small_lora(
                self._metadata(number), seeded_random(self.model, self.training_data, str(self.seed), str(number))
            ),
            samples=tuple(
                Sample(name=f"epoch-{number}-sample-{index}.png", prompt_text=text, seed=self.seed + number)
                for index, text in enumerate(prompts, start=1)
            ),
        )

    def _metadata(self, number: int) -> dict[str, str]:
        """Return metadata of a LoRA by the names that kohya's trainer gives them."""
        return {
            "ss_sd_model_name": self.model,
            "ss_seed": str(self.seed),
            "ss_epoch": str(number),
            "ss_num_epochs": str(self._count),
            "ss_network_module": "networks.lora",
        }


class ImageResourceTrainingJobRequest(JobRequest):
    """The job trains a LoRA: file and sample images of each epoch are assets as soon as they are made.

    `trainingData` is not fetched; the files are small and valid, and of no use for drawing.
    """

    wire_name: ClassVar[str] = "imageResourceTraining"
    template_name: ClassVar[str] = "ImageResourceTrainingJobTemplate"
    job_type: ClassVar[str] = "ImageResourceTraining"

    model: Reference
    training_data: Uri
    params: Annotated[TrainingParams, BeforeValidator(_params)] = Field(default_factory=TrainingParams)

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        model = resources[self.model].for_job
        complete = CompleteTraining(
            model=str(model.air),
            training_data=self.training_data,
            params=self.params,
            seed=seed if self.params.seed is None else self.params.seed,
        )
        names = [(epoch.model_name, *(sample.name for sample in epoch.samples)) for epoch in complete.epochs]
        return Plan(
            request=complete.model_dump(exclude_none=True),
            resources=(model,),
            cost=COST,
            assets=tuple(name for of_epoch in names for name in of_epoch),
        )

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> TrainingWork:  # noqa: ARG003 - no graph is built
        epochs = CompleteTraining.model_validate(job.request).epochs
        return TrainingWork(epochs=epochs, seconds_per_epoch=SECONDS_PER_EPOCH)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        request = CompleteTraining.model_validate(job.request)
        shown = request.model_dump(exclude_none=True, exclude={"seed"})
        return {**shown, "model": job.resources[0].air.compressed}
