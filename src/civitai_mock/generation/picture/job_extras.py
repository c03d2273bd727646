"""What the extras of a job come to: features, and a picture to load."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.generation.features.hires import Hires
from civitai_mock.generation.features.refiner import Refiner
from civitai_mock.generation.features.source_image import SourceImage
from civitai_mock.generation.features.upscale import Upscale, Upscaler
from civitai_mock.generation.picture.extras import CompleteHires, CompleteRefiner, CompleteUpscale
from civitai_mock.generation.picture.graphs import Feature
from civitai_mock.generation.picture.params import CompleteParams
from civitai_mock.generation.work import InputImage


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExtras:
    """`files` has the names of the job's resources by AIR."""

    params: CompleteParams
    job_id: str
    quantity: int
    files: Mapping[str, str]

    @property
    def images(self) -> tuple[InputImage, ...]:
        source = self.params.source_image
        return () if source is None else (InputImage.of(source, name=self._source_name),)

    @property
    def features(self) -> list[Feature]:
        """In the order in which they have to be applied: a hires pass repeats the first one without its refiner."""
        params = self.params
        features: list[Feature | None] = [
            None if params.source_image is None else self._source_image(),
            None if params.hires is None else self._hires(params.hires),
            None if params.refiner is None else self._refiner(params.refiner),
            None if params.upscale is None else self._upscale(params.upscale),
        ]
        return [feature for feature in features if feature is not None]

    @property
    def _source_name(self) -> str:
        return f"{self.job_id}_source"

    @property
    def _denoise(self) -> float:
        """Of the first pass."""
        return self.params.denoise_strength or 1

    def _source_image(self) -> SourceImage:
        return SourceImage(
            picture=self._source_name, size=self.params.size.drawn, quantity=self.quantity, denoise=self._denoise
        )

    def _hires(self, hires: CompleteHires) -> Hires:
        size = self.params.sampled_size
        upscaler = None if hires.upscaler is None else Upscaler(file_name=self.files[hires.upscaler], size=size)
        return Hires(size=size, steps=hires.steps, denoise=hires.denoise_strength, upscaler=upscaler)

    def _refiner(self, refiner: CompleteRefiner) -> Refiner:
        return Refiner(
            file_name=self.files[refiner.model],
            size=self.params.size.drawn,
            steps=self.params.steps,
            denoise=self._denoise,
            switch_at=refiner.switch_at,
        )

    def _upscale(self, upscale: CompleteUpscale) -> Upscale:
        size = None if upscale.scale is None else self.params.sampled_size.scaled(upscale.scale)
        return Upscale(upscaler=Upscaler(file_name=self.files[upscale.model], size=size))
