"""Rows from domain values and back. Times and durations are whole microseconds; JSON is text, for people to read."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Blob
from civitai_mock.domain.resource import Resource

# Neither sqlite3 nor orjson knows the types of what it reads.
Row: TypeAlias = tuple[Any, ...]
Document: TypeAlias = dict[str, Any]
Value: TypeAlias = str | int | float | bytes | None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def text_size(row: Row) -> int:
    """Return the size of its texts together."""
    return sum(len(value) for value in row if isinstance(value, str))


def to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def resource_row(resource: Resource) -> tuple[Value, ...]:
    """Columns to be matched are in lower case, as `Air.key` is."""
    air = resource.air
    body = to_json({"air": air_parts(air), "fields": dict(resource.fields)})
    version = air.version.lower() if air.version else None
    return (air.source.lower(), air.key, version, air.id.lower(), resource.search_text, body)


def resource_from(text: str) -> Resource:
    body = orjson.loads(text)
    return Resource(air=Air(**body["air"]), fields=body["fields"])


def air_parts(air: Air) -> Document:
    """Parts and not text: parsing each AIR again would be most of the time it takes to read a job."""
    return {
        "source": air.source,
        "id": air.id,
        "ecosystem": air.ecosystem,
        "type": air.type,
        "version": air.version,
        "format": air.format,
    }


def blob_row(blob: Blob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, blob.size, blob.etag, to_micros(blob.keep_until), blob.owner)


def blob_from(row: Row) -> Blob:
    key, content_type, size, etag, keep_until, owner = row
    until = from_micros(keep_until)
    return Blob(key=key, content_type=content_type, size=size, etag=etag, keep_until=until, owner=owner)
