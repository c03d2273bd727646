"""Job types that make 3-D models, and images of them."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.file_recipes import SIDE, FileRecipe, ImageRecipe, PlaceholderRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.work import MediaWork, is_web_url

MODEL_TYPE = "model/gltf-binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model3dSpec(CompleteSpec):
    """Makes a cube of a seeded colour, an image of it, and as many `variants` of the cube.

    The `sources`, images that it should look like, are by their places in the request; they are not looked at.
    """

    job_type: ClassVar[str] = "Model3d"
    cost: ClassVar[float] = 100

    prompt: str = ""
    seed: int
    sources: Mapping[str, str] = field(default_factory=dict)
    variants: int = 0

    def image_urls(self) -> Mapping[str, str]:
        return {place: image for place, image in self.sources.items() if is_web_url(image)}

    def files(self) -> tuple[PlannedFile, ...]:
        return tuple(
            PlannedFile(content_type=recipe.content_type, facts=recipe.facts, seed=self.seed)
            for recipe in self._recipes()
        )

    def own_work(self) -> MediaWork:
        return MediaWork(files=self._recipes(), seconds=10.0)

    def _recipes(self) -> tuple[FileRecipe, ...]:
        sampled = SamplerPass(prompt_text=self.prompt, seed=self.seed)
        model = PlaceholderRecipe(content_type=MODEL_TYPE, seed=self.seed)
        return (model, ImageRecipe(sampled=sampled, width=SIDE, height=SIDE), *(model,) * self.variants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model3dViewsSpec(CompleteSpec):
    """Draws images in the place of views of a 3-D model, which is not fetched; `views` are their names."""

    job_type: ClassVar[str] = "Model3dViews"
    cost: ClassVar[float] = 1

    model: str
    views: tuple[str, ...]
    seed: int
    width: int
    height: int
    file: ImageFile = field(default_factory=ImageFile)

    def image_urls(self) -> Mapping[str, str]:
        return {"model": self.model} if is_web_url(self.model) else {}

    def files(self) -> tuple[PlannedFile, ...]:
        return tuple(PlannedFile(content_type=recipe.content_type, facts=recipe.facts) for recipe in self._recipes())

    def own_work(self) -> MediaWork:
        return MediaWork(files=self._recipes(), seconds=2.0)

    def _recipes(self) -> tuple[ImageRecipe, ...]:
        return tuple(
            ImageRecipe(
                sampled=SamplerPass(prompt_text=view, seed=self.seed + place),
                width=self.width,
                height=self.height,
                file=self.file,
            )
            for place, view in enumerate(self.views)
        )
