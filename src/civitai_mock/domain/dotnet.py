"""Read and print dates, durations and numbers in the form of .NET, as the real service does (captures)."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from civitai_mock.domain.micros import MICROSECOND, UNIX_EPOCH

TIMESPAN_PATTERN = re.compile(
    r"(?:(?P<days>\d{1,8})\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2})(?:\.(?P<ticks>\d{1,7}))?)?",
    re.ASCII,
)
MINUTE = timedelta(minutes=1)
MICROSECONDS_IN_MINUTE = 60_000_000
LENGTH_OF_OFFSET = len("+00:00")
CACHED_MINUTES = 1024
MAX_EXACT = 2**53  # beyond it not every whole number is a float


def format_date(moment: datetime) -> str:
    """Print `2025-09-06T18:18:42.7889903Z`: UTC with seven decimals, of which Python knows six."""
    minutes, rest = divmod((moment - UNIX_EPOCH) // MICROSECOND, MICROSECONDS_IN_MINUTE)
    seconds, fraction = divmod(rest, 1_000_000)
    return f"{_minute(minutes)}:{seconds:02d}.{fraction:06d}0Z"


@lru_cache(CACHED_MINUTES)
def _minute(number: int) -> str:
    """Print a minute, counted from 1970; most dates of a server are in a few, and the rest takes half of the time."""
    return (UNIX_EPOCH + number * MINUTE).isoformat("T", "minutes")[:-LENGTH_OF_OFFSET]


def without_trailing_zeros(date: str) -> str:
    """Cut the zeros off a date of `format_date`, and the dot with all of them: v2 prints `…09.5529Z` and `…10Z`."""
    return f"{date[:-1].rstrip('0').rstrip('.')}Z"


def format_timespan(duration: timedelta) -> str:
    """Print `00:00:12.0816066`: seven decimals if there is a fraction and none if not; days before a dot."""
    if not duration:  # as every new job has it twice
        return "00:00:00"
    if duration.days < 0:
        return f"-{format_timespan(-duration)}"
    time = str(duration).rpartition(" ")[-1]  # h:mm:ss[.ffffff]; this takes a third of the time of dividing
    head = f"{duration.days}." if duration.days else ""
    hour = "0" if time[1] == ":" else ""
    tail = "0" if duration.microseconds else ""
    return f"{head}{hour}{time}{tail}"


def parse_timespan(text: str) -> timedelta:
    """Read `[d.]hh:mm[:ss[.fffffff]]`; raise ValueError for anything else."""
    match = TIMESPAN_PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("expected a duration like 00:10:00")
    days, hours, minutes, seconds = (int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("hours go up to 23, minutes and seconds up to 59")
    microseconds = int((match["ticks"] or "").ljust(7, "0")) // 10
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)


def plain_number(value: float) -> int | float:
    """Return a number that is whole as an int, which is printed without decimals."""
    if isinstance(value, int):
        return value
    return int(value) if value.is_integer() and abs(value) < MAX_EXACT else value
