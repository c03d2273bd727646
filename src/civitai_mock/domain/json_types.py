"""Types of decoded JSON, and readers that take a value as what it should be, or else as empty."""

from collections.abc import Mapping
from math import isfinite
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]
ReadOnlyJson: TypeAlias = Mapping[str, Json]


def as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def as_texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in as_list(value) if isinstance(item, str))


def as_number(value: Json) -> float | None:
    """Return a number, or None for NaN and infinity too, which ComfyUI writes: nothing can be counted with them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or isfinite(value) else None
