"""Tokens of job collections, and pagination cursors."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.search import Position
from civitai_mock.domain.tokens import decode_cursor, decode_token, encode_cursor, encode_token
from tests.support.table import table

ID = "37d9d863-7928-41c1-bc83-626c00995137"
POSITION = Position(datetime(2025, 9, 6, 18, 18, 16, 167943, tzinfo=UTC), "submission-1", "job-1")
POSITIONS = st.builds(Position, st.datetimes(timezones=st.just(UTC)), st.text(), st.text())
OWNERS = st.none() | st.text()


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_a_token_of_another_than_the_default_namespace_names_it() -> None:
    token = encode_token([ID], namespace="a.b-c")
    assert decode_token(token) == ([ID], "a.b-c")
    assert base64.b64decode(token) == b'{"Jobs":["%s"],"Namespace":"a.b-c"}' % ID.encode()


def test_a_token_is_standard_base64_of_the_ids() -> None:
    token = encode_token([ID])
    assert base64.b64decode(token, validate=True) == f'{{"Jobs":["{ID}"]}}'.encode()


@given(st.lists(st.uuids().map(str), unique=True))
def test_ids_are_the_same_after_a_round_trip(ids: list[str]) -> None:
    assert decode_token(encode_token(ids)) == (ids, None)


def test_an_id_counts_once() -> None:
    assert decode_token(encode_token([ID, "b", ID])).job_ids == [ID, "b"]


def test_a_plus_that_was_not_percent_encoded_is_understood() -> None:
    """A query string turns it into a space."""
    token = encode_token(["~~>", "???"])
    assert "+" in token
    assert decode_token(token.replace("+", " ")).job_ids == ["~~>", "???"]


@table(
    "token",
    [
        "",
        "x",
        "====",
        "not base64!",
        "кот",
        encode_token([ID]).rstrip("=")[:-1],
        base64.b64encode(b"\xff\xfe\xfd").decode(),
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        encoded(None),
        encoded([ID]),
        encoded({}),
        encoded({"Jobs": ID}),
        encoded({"jobs": [ID]}),
        encoded({"Jobs": [5]}),
        encoded({"Jobs": [ID, None]}),
        encoded({"Jobs": ["\ud800"]}),
        encoded({"Jobs": ["a\0b"]}),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_token(token)
    assert list(caught.value.errors) == ["token"]


@given(POSITIONS, OWNERS)
def test_a_position_is_the_same_after_a_round_trip(position: Position, owner: str | None) -> None:
    assert decode_cursor(encode_cursor(position, owner=owner), owner=owner) == position


@pytest.mark.parametrize("owner", [None, "", "them"])
def test_a_cursor_is_good_for_its_owner_only(owner: str | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_cursor(encode_cursor(POSITION, owner="us"), owner=owner)
    assert list(caught.value.errors) == ["cursor"]


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        decode_cursor(text, owner=None)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.dictionaries(st.text(), st.text()))
def test_any_other_json_is_refused_as_a_cursor(value: object) -> None:
    with pytest.raises(InvalidRequestError):
        decode_cursor(base64.urlsafe_b64encode(json.dumps(value).encode()).decode(), owner=None)
