"""What the journal keeps of a request: bodies up to a size, headers in one text."""

import hashlib
from itertools import count
from typing import Any

import pytest

from civitai_mock.domain.journal import (
    LARGEST_BODY,
    BodyCopy,
    JournalEntry,
    LargeBody,
    large_body,
    packed_message,
    shown_headers,
    without_secrets,
)
from tests.support.table import table

SPANS = count()

LARGE = b"a" * LARGEST_BODY + b"b"


@pytest.mark.parametrize("parts", [[], [b"one"], [b"one", b"two"], [LARGE[:-1]], [LARGE[:10], LARGE[10:-1]]])
def test_a_body_is_kept_as_it_came(parts: list[bytes]) -> None:
    copy = BodyCopy()
    for part in parts:
        copy.add(part)
    assert copy.body == b"".join(parts)


@pytest.mark.parametrize("parts", [[LARGE], [LARGE[:-1], b"b"], [LARGE[:10], LARGE[10:], b""]])
def test_a_larger_body_is_told_by_its_length_and_digest(parts: list[bytes]) -> None:
    copy = BodyCopy()
    for part in parts:
        copy.add(part)
    assert copy.body == large_body(LARGE)
    assert large_body(LARGE) == LargeBody(length=len(LARGE), digest=hashlib.sha256(LARGE).hexdigest())


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([], {}),
        ([(b"A", b"1"), (b"b", b"")], {"a": "1", "b": ""}),
        ([(b"a", b"1"), (b"a", b"2"), (b"c", b"\xff")], {"a": "1, 2", "c": "\xff"}),
        ([(b"authorization", b"Bearer abc"), (b"cookie", b"a=b")], {"authorization": "***", "cookie": "***"}),
    ],
)
def test_headers_are_shown_without_secret_values(headers: list[tuple[bytes, bytes]], shown: dict[str, str]) -> None:
    assert shown_headers(without_secrets(headers)) == shown


@table("asked", [[], [(b"a", b"1"), (b"b", b"")]])
@table("answered", [[], [(b"c", b"3"), (b"c", b"4")]])
@table("common", [[], [(b"d", b"5")]])
@table(("request_body", "answer_body"), [(b"", b""), (b"\0a\0", b"\0b"), (b"", b"b"), (b"a", b"")])
def test_what_was_packed_comes_back(
    asked: Any, answered: Any, common: Any, request_body: bytes, answer_body: bytes
) -> None:
    entry = _entry(
        request=packed_message([*asked, *common], request_body),
        request_header_count=len(asked),
        common_header_count=len(common),
        answer=packed_message(answered, answer_body),
        answer_header_count=len(answered),
    )
    assert (entry.request_headers, entry.request_body) == (asked, request_body)
    assert (entry.answer_headers, entry.answer_body) == ([*answered, *common], answer_body)


def test_large_bodies_stand_beside_what_is_packed() -> None:
    large = large_body(LARGE)
    entry = _entry(large_request=large, large_answer=large)
    assert (entry.request_body, entry.answer_body) == (large, large)


def test_ids_differ_and_are_in_the_order_in_which_requests_came() -> None:
    ids = [
        _entry(ended_ns=at, seconds=seconds).id
        for at, seconds in ((5, 4e-9), (4, 2e-9), (3, 0), (2**60, 0), (2**60, 0))
    ]
    assert sorted(ids) == ids
    assert len(set(ids)) == len(ids)


def _entry(**known: Any) -> JournalEntry:
    nothing: Any = [None] * len(JournalEntry._fields)
    return JournalEntry(*nothing)._replace(trace_id=f"00-{'0' * 32}-{next(SPANS):016}-00", **known)
