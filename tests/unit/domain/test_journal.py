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
    kept_bytes,
    large_body,
    packed_headers,
    unpacked_headers,
    without_secrets,
)

SPANS = count()

LARGE = b"a" * LARGEST_BODY + b"b"


@pytest.mark.parametrize("parts", [[], [b"one"], [b"one", b"two"], [LARGE[:-1]], [LARGE[:10], LARGE[10:-1]]])
def test_a_body_is_kept_as_it_came(parts: list[bytes]) -> None:
    copy = BodyCopy()
    for part in parts:
        copy.add(part)
    assert copy.body == b"".join(parts)
    assert kept_bytes(copy.body) == len(b"".join(parts))


@pytest.mark.parametrize("parts", [[LARGE], [LARGE[:-1], b"b"], [LARGE[:10], LARGE[10:], b""]])
def test_a_larger_body_is_told_by_its_length_and_digest(parts: list[bytes]) -> None:
    copy = BodyCopy()
    for part in parts:
        copy.add(part)
    assert copy.body == large_body(LARGE)
    assert large_body(LARGE) == LargeBody(length=len(LARGE), digest=hashlib.sha256(LARGE).hexdigest())
    assert kept_bytes(copy.body) == 0


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([], {}),
        ([(b"A", b"1"), (b"b", b"")], {"a": "1", "b": ""}),
        ([(b"a", b"1"), (b"a", b"2"), (b"c", b"\xff")], {"a": "1, 2", "c": "\xff"}),
        ([(b"authorization", b"Bearer abc"), (b"cookie", b"a=b")], {"authorization": "***", "cookie": "***"}),
    ],
)
def test_headers_come_back_without_secret_values(headers: list[tuple[bytes, bytes]], shown: dict[str, str]) -> None:
    packed = packed_headers(without_secrets(headers))
    assert unpacked_headers(packed) == shown
    assert b"abc" not in packed


def test_ids_differ_and_are_in_the_order_in_which_requests_came() -> None:
    ids = [
        _entry(ended_ns=at, seconds=seconds).id
        for at, seconds in ((5, 4e-9), (4, 2e-9), (3, 0), (2**60, 0), (2**60, 0))
    ]
    assert sorted(ids) == ids
    assert len(set(ids)) == len(ids)


def _entry(*, ended_ns: int, seconds: float) -> JournalEntry:
    nothing: Any = [None] * len(JournalEntry._fields)
    trace_id = f"00-{'0' * 32}-{next(SPANS):016}-00"
    return JournalEntry(*nothing)._replace(ended_ns=ended_ns, seconds=seconds, trace_id=trace_id)
