"""Where a list of jobs goes on."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.search import Position
from civitai_mock.domain.tokens import decode_cursor, encode_cursor

POSITION = Position(datetime(2025, 9, 6, 18, 18, 16, 167943, tzinfo=UTC), "submission-1", "job-1")
POSITIONS = st.builds(Position, st.datetimes(timezones=st.just(UTC)), st.text(), st.text())
OWNERS = st.none() | st.text()


@given(POSITIONS, OWNERS)
def test_a_position_is_the_same_after_a_round_trip(position: Position, owner: str | None) -> None:
    assert decode_cursor(encode_cursor(position, owner=owner), owner=owner) == position


@pytest.mark.parametrize("owner", [None, "", "them"])
def test_a_cursor_is_good_for_its_owner_only(owner: str | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_cursor(encode_cursor(POSITION, owner="us"), owner=owner)
    assert list(caught.value.errors) == ["cursor"]


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        decode_cursor(text, owner=None)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.dictionaries(st.text(), st.text()))
def test_any_other_json_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequestError):
        decode_cursor(base64.urlsafe_b64encode(json.dumps(value).encode()).decode(), owner=None)
