"""Dates and durations as .NET prints them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.dotnet import format_date, format_timespan, parse_timespan
from tests.support.table import table

CASES = [
    (timedelta(), "00:00:00"),
    (timedelta(minutes=10), "00:10:00"),
    (timedelta(seconds=12, microseconds=81606), "00:00:12.0816060"),
    (timedelta(microseconds=1), "00:00:00.0000010"),
    (timedelta(hours=23, minutes=59, seconds=59), "23:59:59"),
    (timedelta(days=1), "1.00:00:00"),
    (timedelta(days=12, hours=3, microseconds=5), "12.03:00:00.0000050"),
]


@pytest.mark.parametrize(("duration", "text"), CASES)
def test_a_duration_is_printed_and_read(duration: timedelta, text: str) -> None:
    assert format_timespan(duration) == text
    assert parse_timespan(text) == duration


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=99_999_999)))
def test_a_duration_is_the_same_after_a_round_trip(duration: timedelta) -> None:
    assert parse_timespan(format_timespan(duration)) == duration


def test_a_negative_duration_has_a_sign() -> None:
    assert format_timespan(timedelta(minutes=-90, microseconds=-1)) == "-01:30:00.0000010"


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("00:10", timedelta(minutes=10)),
        ("1:2:3", timedelta(hours=1, minutes=2, seconds=3)),
        ("00:00:01.5", timedelta(seconds=1, milliseconds=500)),
        ("00:00:12.0816066", timedelta(seconds=12, microseconds=81606)),
        ("99999999.00:00:00", timedelta(days=99_999_999)),
    ],
)
def test_shorter_and_finer_forms_are_read(text: str, duration: timedelta) -> None:
    assert parse_timespan(text) == duration


@table(
    "text",
    [
        "",
        "10",
        "600s",
        "24:00:00",
        "00:60:00",
        "00:00:60",
        "00:00:00.00000001",
        "-00:10:00",
        "1.",
        "\u0660\u0660:10:00",
        "00:10:00\n",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a duration|hours go up to 23"):
        parse_timespan(text)


def test_a_date_is_printed_in_utc_with_seven_decimals() -> None:
    moment = datetime(2025, 9, 6, 20, 18, 42, 788990, tzinfo=timezone(timedelta(hours=2)))
    assert format_date(moment) == "2025-09-06T18:18:42.7889900Z"
    assert format_date(datetime(2025, 9, 6, tzinfo=UTC)) == "2025-09-06T00:00:00.0000000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_is_the_same_after_a_round_trip(moment: datetime) -> None:
    assert datetime.fromisoformat(format_date(moment)) == moment
