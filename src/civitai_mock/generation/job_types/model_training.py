"""Trains a model in v2's steps, epoch by epoch; see `training` for v1's."""

from collections.abc import Mapping
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.media import UNKNOWN_TYPE, MediaKind, extension_of
from civitai_mock.generation.file_recipes import STAND_INS, FileRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.job_types.training import SECONDS_PER_EPOCH
from civitai_mock.generation.placeholder_results import seeded_random, small_lora
from civitai_mock.generation.work import Epoch, Sample, TrainingWork

MOST_SECONDS = 120.0  # of all epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrainingSpec(CompleteSpec):
    """Trains a LoRA: weights, and a sample of each prompt text, are there as soon as their epoch is over.

    The training data is not fetched. `model` is an AIR; without it the `ecosystem` says what is trained.
    """

    job_type: ClassVar[str] = "ModelTraining"
    cost: ClassVar[float] = 500

    engine: str
    ecosystem: str = ""
    model: str | None = None
    training_data: str
    epochs: int
    prompts: tuple[str, ...] = ()
    sample_kind: MediaKind = MediaKind.IMAGE
    seed: int

    def references(self) -> Mapping[str, str]:
        return {} if self.model is None else {"model": self.model}

    def files(self) -> tuple[PlannedFile, ...]:
        """Return for each epoch its weights, and then its samples."""
        return tuple(file for number in self._numbers for file in self._files(number))

    def own_work(self) -> TrainingWork:
        epochs = tuple(self._epoch(number) for number in self._numbers)
        return TrainingWork(epochs=epochs, seconds_per_epoch=min(SECONDS_PER_EPOCH, MOST_SECONDS / self.epochs))

    @property
    def _numbers(self) -> range:
        return range(1, self.epochs + 1)

    def _files(self, number: int) -> list[PlannedFile]:
        samples = [_planned(recipe, name=name) for name, recipe in self._recipes(number).items()]
        return [PlannedFile(content_type=UNKNOWN_TYPE, name=_weights_name(number)), *samples]

    def _recipes(self, number: int) -> Mapping[str, FileRecipe]:
        """Return how the samples of an epoch are made, by their names."""
        make = STAND_INS[self.sample_kind]
        recipes = [make(SamplerPass(prompt_text=text, seed=self.seed + number)) for text in self.prompts]
        return {
            f"epoch-{number}-sample-{place}{extension_of(recipe.content_type)}": recipe
            for place, recipe in enumerate(recipes, start=1)
        }

    def _epoch(self, number: int) -> Epoch:
        words = (self.model or self.ecosystem, self.training_data, str(self.seed), str(number))
        return Epoch(
            number=number,
            model_name=_weights_name(number),
            model=small_lora(self._metadata(number), seeded_random(*words)),
            samples=tuple(Sample(name=name, recipe=recipe) for name, recipe in self._recipes(number).items()),
        )

    def _metadata(self, number: int) -> dict[str, str]:
        return {
            "ss_sd_model_name": self.model or self.ecosystem,
            "ss_seed": str(self.seed),
            "ss_epoch": str(number),
            "ss_num_epochs": str(self.epochs),
            "ss_network_module": "networks.lora",
        }


def _weights_name(number: int) -> str:
    return f"epoch-{number}.safetensors"


def _planned(recipe: FileRecipe, *, name: str) -> PlannedFile:
    return PlannedFile(content_type=recipe.content_type, facts=recipe.facts, name=name)
