"""Stands in for types of jobs that nothing is made for yet: a value of the shape that is declared, with its files."""

from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.file_recipes import FileRecipe, recipe_of
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.work import MediaWork


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInSpec(CompleteSpec):
    """Answers a `value` that was built of a schema, in which numbers stand for blobs: see `schema_values`.

    The `recipes` are those of its files, as `file_recipes` writes them.
    """

    job_type: ClassVar[str] = "StandIn"
    cost: ClassVar[float] = 1

    step_type: str
    value: ReadOnlyJson
    recipes: tuple[ReadOnlyJson, ...] = ()

    def files(self) -> tuple[PlannedFile, ...]:
        return tuple(
            PlannedFile(content_type=recipe.content_type, facts=recipe.facts) for recipe in self._read_recipes()
        )

    def own_work(self) -> MediaWork:
        return MediaWork(files=self._read_recipes(), seconds=2.0, result={**self.value})

    def _read_recipes(self) -> tuple[FileRecipe, ...]:
        return tuple(recipe_of(members) for members in self.recipes)
