"""Values that BSON would not give back exactly, in a form that it does."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.dotnet import MICROSECOND
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson


def moment_text(moment: datetime) -> str:
    """UTC in ISO 8601 of fixed width, so that text sorts as time does; a BSON date has no microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def duration_micros(duration: timedelta) -> int:
    return duration // MICROSECOND


def parse_micros(micros: int) -> timedelta:
    return timedelta(microseconds=micros)


def json_text(value: "Json | ReadOnlyJson") -> str:
    """Free JSON as text: BSON has trouble with `$`, `.` and NUL in names, and with large integers."""
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, separators=(",", ":"))


def parse_json(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def parse_json_object(text: str) -> JsonObject:
    value: JsonObject = json.loads(text)
    return value


def is_storable(text: str) -> bool:
    """False for half of a surrogate pair, which JSON can name but UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
