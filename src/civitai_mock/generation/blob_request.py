"""What the requests about stored blobs share."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer

from civitai_mock.domain.dotnet import format_timespan, parse_timespan
from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import BlobKey
from civitai_mock.generation.work import BlobAction, BlobWork

LONGEST_KEEPING = timedelta(days=365)


def _keeping_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    duration = parse_timespan(value)
    if duration > LONGEST_KEEPING:
        raise ValueError("expected a duration of at most 365 days")
    return duration


KeepingTime = Annotated[
    timedelta,
    Field(strict=True, json_schema_extra={"format": "time-span", "examples": ["1.00:00:00"]}),
    BeforeValidator(_keeping_time),
    PlainSerializer(format_timespan, return_type=str),
]


class StoredBlobRequest(AsSentRequest):
    """About a blob by its key; a blob that is not there is no error, the result tells."""

    cost: ClassVar[float] = 0
    action: ClassVar[BlobAction]

    key: BlobKey

    def order(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key)
