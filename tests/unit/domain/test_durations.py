"""Durations as people write them."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.durations import parse_duration
from tests.support.table import table


@table(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("500ms", timedelta(milliseconds=500)),
        ("1.5s", timedelta(seconds=1.5)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        (" 10M ", timedelta(minutes=10)),
        ("0s", timedelta()),
        ("PT10M", timedelta(minutes=10)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT0,5S", timedelta(milliseconds=500)),
        ("P1DT2H", timedelta(hours=26)),
        ("P2W", timedelta(weeks=2)),
        ("pt1h", timedelta(hours=1)),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@table(
    "text",
    [
        "",
        "10",
        "m",
        "-10m",
        "10 m",
        "10x",
        "30m1h",
        "10mm",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "00:10:00",
        "1e3s",
        "٣s",
        "nan s",
        "infs",
        "9" * 100 + "s",
        "1s" * 40,
        "36501d",
        "P9999999999W",
        "999999999999d",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@given(st.text(alphabet="PTWDHMSpdhms.,0123456789- ", max_size=30))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()
