"""Read and follow JSON Pointers (RFC 6901), which name a place in a JSON document."""

import re
from typing import TypeAlias

from civitai_mock.domain.json_types import Json

Pointer: TypeAlias = tuple[str, ...]
Container: TypeAlias = "dict[str, Json] | list[Json]"

ROOT: Pointer = ()
END = "-"  # names the place after the last item of an array
INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
BROKEN_ESCAPE = re.compile(r"~(?![01])")


class PointerError(ValueError):
    """Raised for a pointer that cannot be read, or names no place in the document."""


def parse_pointer(text: str) -> Pointer:
    """Return the names and indexes of a JSON Pointer; raise `PointerError` for anything else."""
    if text and not text.startswith("/"):
        raise PointerError(f"'{text}' is not a JSON Pointer; expected it to be empty or to begin with '/'.")
    if BROKEN_ESCAPE.search(text):
        raise PointerError(f"'{text}' has a '~' that neither '0' nor '1' follows.")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def print_pointer(pointer: Pointer) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in pointer)


def value_at(document: Json, pointer: Pointer) -> Json:
    """Return the value at a place; raise `PointerError` if there is none."""
    value = document
    for depth, part in enumerate(pointer, 1):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list):
            value = value[index_in(value, part, pointer[:depth])]
        else:
            raise PointerError(f"There is nothing at '{print_pointer(pointer[:depth])}'.")
    return value


def place_in(document: Json, pointer: Pointer) -> tuple[Container, str]:
    """Return what holds a place, which may not be there yet, and the last part of its pointer."""
    container = value_at(document, pointer[:-1])
    if not isinstance(container, dict | list):
        raise PointerError(f"'{print_pointer(pointer[:-1])}' is neither an object nor an array.")
    return container, pointer[-1]


def index_in(items: list[Json], part: str, pointer: Pointer, *, is_new: bool = False) -> int:
    """Return the index that the last part of a pointer means; a new item may also come after the last one."""
    if is_new and part == END:
        return len(items)
    if not INDEX.fullmatch(part) or int(part) >= len(items) + is_new:
        raise PointerError(f"There is nothing at '{print_pointer(pointer)}'; the array has {len(items)} items.")
    return int(part)
