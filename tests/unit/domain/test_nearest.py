"""Hints about wrong names."""

import pytest

from civitai_mock.domain.nearest import did_you_mean, nearest, unknown_name

MODES = ("instant", "time", "polls", "manual")


@pytest.mark.parametrize(
    ("word", "found"),
    [("poll", "polls"), ("POLLS", "polls"), ("maunal", "manual"), ("tine", "time")],
)
def test_the_nearest_name_is_found_whatever_was_written(word: str, found: str) -> None:
    assert nearest(word, MODES) == found
    assert did_you_mean(word, MODES) == f" Did you mean '{found}'?"


def test_nothing_is_meant_where_nothing_is_known() -> None:
    assert not did_you_mean("polls", ())


def test_names_keep_their_case() -> None:
    assert nearest("sent_to_confy", ["SENT_TO_COMFY", "CLAIMED"]) == "SENT_TO_COMFY"


def test_a_message_shows_no_more_of_a_long_name_than_a_line() -> None:
    message = unknown_name("mode", "x" * 100_000, MODES)
    assert message.startswith("Unknown mode 'xxx")
    assert message.endswith("'?")
    assert len(message) < 300
