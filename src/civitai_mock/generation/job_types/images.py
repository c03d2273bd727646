"""Job types that make images without a graph: models that run elsewhere, and models that have no graph here."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.file_recipes import ImageRecipe
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.operations import RedrawImage
from civitai_mock.generation.work import DerivedWork, MediaWork, is_web_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGenSpec(CompleteSpec):
    """Draws an image as if `model` of an `engine` had made it, over the first of the `sources` if there are some.

    `sources` and the AIRs of `models` and `loras` are by their fields, which are their places in the request. As much
    of the first image as `strength` says is drawn anew; without a size the new image is as large.
    """

    job_type: ClassVar[str] = "ImageGen"
    cost: ClassVar[float] = 8

    engine: str
    model: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    sampler: str = ""
    noise_schedule: str = ""
    steps: int = 0
    cfg_scale: float | None = None
    seed: int
    width: int | None = None
    height: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    strength: float = 1
    models: Mapping[str, str] = field(default_factory=dict)
    loras: Mapping[str, str] = field(default_factory=dict)
    lora_strengths: Mapping[str, float] = field(default_factory=dict)
    file: ImageFile = field(default_factory=ImageFile)
    extension: str | None = None

    def references(self) -> Mapping[str, str]:
        return {**self.models, **self.loras}

    def image_urls(self) -> Mapping[str, str]:
        return {place: image for place, image in self.sources.items() if is_web_url(image)}

    def files(self) -> tuple[PlannedFile, ...]:
        facts = BlobFacts(width=self.width, height=self.height)
        content_type = self.file.content_type
        return (PlannedFile(content_type=content_type, facts=facts, seed=self.seed, extension=self.extension),)

    def own_work(self) -> MediaWork | DerivedWork:
        seconds = 0.1 * (self.steps or 20)
        if not self.sources:
            return MediaWork(files=(self._recipe(),), seconds=seconds)
        operation = RedrawImage(recipe=self._recipe(), strength=self.strength)
        return DerivedWork(operation=operation, inputs=tuple(self.sources.values()), seconds=seconds)

    def _recipe(self) -> ImageRecipe:
        sampled = SamplerPass(
            seed=self.seed,
            steps=self.steps,
            cfg=self.cfg_scale,
            denoise=self.strength,
            sampler=self.sampler,
            noise_schedule=self.noise_schedule,
            prompt_text=self.prompt,
            negative_text=self.negative_prompt,
            model=self.model,
            loras=tuple(self._lora(place, air) for place, air in self.loras.items()),
        )
        return ImageRecipe(sampled=sampled, width=self.width or 0, height=self.height or 0, file=self.file)

    def _lora(self, place: str, air: str) -> Lora:
        reference = parse_reference(air)
        file_name = reference.model_path if isinstance(reference, Air) else str(reference)
        return Lora(file_name=file_name, strength=self.lora_strengths.get(place, 1))
