"""A decoded JSON value read as what it should be; whatever has another shape reads as nothing."""

from civitai_mock.domain.json import Json, JsonObject


def as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def as_texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in as_list(value) if isinstance(item, str))


def as_number(value: Json) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
