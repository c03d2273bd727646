"""`ImageResourceTraining` trains a LoRA, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.draft import JobDraft, JobSpec, Plan
from civitai_mock.generation.placeholder_results import seeded_random, small_lora
from civitai_mock.generation.spec_json import OTHER_MEMBERS
from civitai_mock.generation.work import Epoch, Sample, TrainingWork

COST = 500.0
SECONDS_PER_EPOCH = 4.0
DEFAULT_EPOCHS = 10
DEFAULT_PROMPT = "a picture in the new style"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingParams:
    """Says how to train; `others` are shown again, and nothing else."""

    max_train_epochs: int | None = None
    sample_prompts: tuple[str, ...] | None = None
    seed: int | None = None
    others: ReadOnlyJson = field(default_factory=dict, metadata=OTHER_MEMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec(JobSpec):
    """Trains a LoRA: file and sample images of each epoch are assets as soon as they are made.

    The training data is not fetched; the files are small and valid, and of no use for drawing. `model` is an AIR.
    """

    job_type: ClassVar[str] = "ImageResourceTraining"

    model: str
    training_data: str
    params: TrainingParams
    seed: int

    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> TrainingWork:  # noqa: ARG002 - no graph is built
        return TrainingWork(epochs=self.epochs, seconds_per_epoch=SECONDS_PER_EPOCH)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingDraft(JobDraft):
    """Asks for a LoRA to be trained for `model`, an AIR in either form, with the data behind a URL."""

    model: str
    training_data: str
    params: TrainingParams = TrainingParams()

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        model = resources[self.model].for_job
        spec = TrainingSpec(
            model=str(model.air),
            training_data=self.training_data,
            params=self.params,
            seed=seed if self.params.seed is None else self.params.seed,
        )
        names = [(epoch.model_name, *(sample.name for sample in epoch.samples)) for epoch in spec.epochs]
        return Plan(
            spec=spec,
            resources=(model,),
            cost=COST,
            assets=tuple(name for of_epoch in names for name in of_epoch),
        )
