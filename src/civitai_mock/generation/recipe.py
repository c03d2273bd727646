"""The recipe of a file that is not made yet: with it any process makes the same bytes at any time."""

import json
from collections.abc import Mapping
from dataclasses import astuple, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded
from civitai_mock.generation.media import ImageContent, ImageFile, image_file_of

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.generation.file_recipes import FileRecipe

# Is raised with each change that makes other bytes of the same recipe; a test compares digests of what is drawn.
PAINTER_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRecipe:
    """Names an image of the graph that the events of a job have; `index` counts within the output node.

    `loaded` is what is known of the files that the graph reads: they may be
    deleted before the image is drawn. Without `file` the image is a PNG, as ComfyUI's are.
    """

    job_id: str
    node_id: str
    index: int
    image_content: ImageContent
    loaded: Mapping[str, Loaded] = field(default_factory=dict)
    file: ImageFile | None = None

    def members(self) -> JsonObject:
        loaded: JsonObject = {name: list(astuple(file)) for name, file in self.loaded.items()}
        return {
            "job": self.job_id,
            "node": self.node_id,
            "index": self.index,
            "content": self.image_content,
            **({"loaded": loaded} if loaded else {}),
            **({"file": self.file.members} if self.file else {}),
        }

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        names = ("width", "height", "count", "has_alpha")
        loaded = {
            name: Loaded(**dict(zip(names, facts, strict=True))) for name, facts in members.get("loaded", {}).items()
        }
        return cls(
            job_id=members["job"],
            node_id=members["node"],
            index=members["index"],
            image_content=ImageContent(members["content"]),
            loaded=loaded,
            file=image_file_of(members["file"]) if "file" in members else None,
        )


Recipe: TypeAlias = "GraphRecipe | FileRecipe"


_to_text = json.JSONEncoder(separators=(",", ":")).encode  # as `json.dumps` makes an encoder each time


def recipe_text(recipe: Recipe) -> str:
    """Return what is stored of a recipe, with the version of the painter that was there when it was written."""
    members = recipe.members() if isinstance(recipe, GraphRecipe) else _members_of(recipe)
    return _to_text({"painter": PAINTER_VERSION, **members})


def read_recipe(text: str) -> Recipe:
    """Read a recipe of this or an earlier painter: nobody has seen what that one would have drawn.

    Raise `TransientError` for one of a later painter, as only a process that has it knows how to draw it.
    """
    members = json.loads(text)
    if members["painter"] > PAINTER_VERSION:
        raise TransientError(
            f"The image is to be drawn by a later version of this program (painter {members['painter']}; this one"
            f" has {PAINTER_VERSION})."
        )
    return _file_recipe_of(members) if "kind" in members else GraphRecipe.of(members)


def _members_of(recipe: "FileRecipe") -> JsonObject:
    from civitai_mock.generation.file_recipes import members_of  # noqa: PLC0415 - as above

    return members_of(recipe)


def _file_recipe_of(members: Mapping[str, Any]) -> "FileRecipe":
    from civitai_mock.generation.file_recipes import recipe_of  # noqa: PLC0415 - as above

    return recipe_of(members)
