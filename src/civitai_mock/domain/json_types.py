"""Types of decoded JSON, and readers that take a value as what it should be, or else as empty."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from math import isfinite
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]
ReadOnlyJson: TypeAlias = Mapping[str, Json]


class JsonText(Mapping[str, Json]):
    """Is a JSON object that was read as `text`, and stays text until somebody looks into it."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    @cached_property
    def _members(self) -> JsonObject:
        members: JsonObject = json.loads(self.text)
        return members

    def __getitem__(self, name: str) -> Json:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def as_texts(value: Json) -> tuple[str, ...]:
    return tuple([item for item in as_list(value) if isinstance(item, str)])


def as_number(value: Json) -> float | None:
    """Return a number, or None for NaN and infinity too, which ComfyUI writes: nothing can be counted with them."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # a union of types takes twice as long
        return value if isinstance(value, int) or isfinite(value) else None
    return None


def named_texts(name: str, value: Json) -> Iterator[tuple[str, str]]:
    """Yield each text in a value, with the name of the member that it stands in."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for member, item in value.items():
            yield from named_texts(member, item)
    elif isinstance(value, list):
        for item in value:
            yield from named_texts(name, item)
