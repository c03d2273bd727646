"""A decoded JSON value read as what it should be; whatever has another shape reads as nothing."""

from math import isfinite

from civitai_mock.domain.json_types import Json, JsonObject


def as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def as_texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in as_list(value) if isinstance(item, str))


def as_number(value: Json) -> float | None:
    """Neither NaN nor infinity, which ComfyUI writes: nothing can be counted with them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or isfinite(value) else None
