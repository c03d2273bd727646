"""How MongoDB documents hold times, durations and JSON that BSON would not give back exactly."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.domain.namespaces import FIRST_EPOCH


def key_in(epoch: int, name: str) -> str:
    """Return the `_id` of a document that has one name in each epoch, and that no name with a slash in it has.

    In the first epoch, and for what all share, it is the name itself, as earlier versions stored it.
    """
    return name if epoch <= FIRST_EPOCH else f"{epoch}/{name}"


def name_of(key: str) -> str:
    """Return the name from which `key_in` made a key."""
    return key.partition("/")[2] or key


def moment_text(moment: datetime) -> str:
    """Print UTC in ISO 8601 of fixed width, so that text sorts as time does; a BSON date has no microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def duration_micros(duration: timedelta) -> int:
    return duration // MICROSECOND


def parse_micros(micros: int) -> timedelta:
    return timedelta(microseconds=micros)


def json_text(value: "Json | ReadOnlyJson") -> str:
    """Store free JSON as text, as BSON has trouble with `$`, `.` and NUL in names, and with large integers.

    Times in it are written as ISO 8601 has them.
    """
    members = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(members, separators=(",", ":"), default=datetime.isoformat)


def parse_json(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def parse_json_object(text: str) -> JsonObject:
    value: JsonObject = json.loads(text)
    return value


def is_storable(text: str) -> bool:
    """Return False for half a surrogate pair, which JSON can spell and UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
