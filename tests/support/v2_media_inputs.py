"""Inputs of every kind with files in them, for steps that are really run."""

from typing import Any

from civitai_mock.domain.json_types import Json, JsonObject
from tests.support.v2_inputs import TEXTS, input_kinds, make_input

# Members that the description calls texts, and nothing more; they name files.
FILES = frozenset({"video", "image", "imageUrl", "images"})
# The largest numbers of some members, and numbers with which all kinds of a type take less than a minute.
SMALLER = {("resolution", 4096): 128, ("epochs", 200): 3}


def sent_inputs(step_type: str, *, is_full: bool, media: str = TEXTS["uri"]) -> list[Json]:
    """Return an input of each kind, with a URL wherever a file is asked for, and of no size that takes long."""
    one_of_two: JsonObject = {"mediaUrl": media} if step_type == "mediaRating" else {}
    kinds = [kind for kind in input_kinds() if kind.step_type == step_type]
    return [_with_files(make_input(kind, is_full=is_full), media, one_of_two) for kind in kinds]


def _with_files(value: Any, media: str, more: JsonObject) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _usable(name, item, media) for name, item in (value | more).items()}


def _usable(name: str, item: Any, media: str) -> Any:
    if item == TEXTS["uri"] or (name in FILES and item == "a text"):
        return media
    if isinstance(item, list):
        return [_usable(name, one, media) for one in item]
    return SMALLER.get((name, item), item) if isinstance(item, int) else item
