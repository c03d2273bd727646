"""How SQLite rows hold times, JSON and AIRs: times as whole microseconds, JSON as text that people can read."""

from typing import Any, TypeAlias

import orjson

from civitai_mock.domain.air import Air

# `Any`, as neither sqlite3 nor orjson knows the types of what it reads.
Row: TypeAlias = tuple[Any, ...]
Document: TypeAlias = dict[str, Any]
Value: TypeAlias = str | int | float | bytes | None


def text_size(row: Row) -> int:
    """Return the length of all texts in a row together, packed or not."""
    return sum([len(value) for value in row if isinstance(value, (str, bytes))])


def to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def air_parts(air: Air) -> Document:
    """Store an AIR by its parts, as parsing its text again would take most of the time of reading a job."""
    return {
        "source": air.source,
        "id": air.id,
        "ecosystem": air.ecosystem,
        "type": air.type,
        "version": air.version,
        "format": air.format,
    }
