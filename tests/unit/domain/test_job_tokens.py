"""The token of a job collection."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.tokens import decode_token, encode_token

ID = "37d9d863-7928-41c1-bc83-626c00995137"


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_a_token_is_standard_base64_of_the_ids() -> None:
    token = encode_token([ID])
    assert base64.b64decode(token, validate=True) == f'{{"Jobs":["{ID}"]}}'.encode()


@given(st.lists(st.uuids().map(str), unique=True))
def test_ids_are_the_same_after_a_round_trip(ids: list[str]) -> None:
    assert decode_token(encode_token(ids)) == ids


def test_an_id_counts_once() -> None:
    assert decode_token(encode_token([ID, "b", ID])) == [ID, "b"]


def test_a_plus_that_was_not_percent_encoded_is_understood() -> None:
    """A query string turns it into a space."""
    token = encode_token(["~~>", "???"])
    assert "+" in token
    assert decode_token(token.replace("+", " ")) == ["~~>", "???"]


@pytest.mark.parametrize(
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
