"""Dataclasses are written as JSON and read again by the types of their members, and what does not fit is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.typed_json import TypedJsonError, read_value, write_value
from tests.support.table import table


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Inner:
    number: int


@dataclass(frozen=True, kw_only=True)
class Everything:
    text: str
    flag: bool = False
    count: int = 0
    amount: float = 0.0
    at: datetime | None = None
    lasts: timedelta | None = None
    colour: Colour | None = None
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    amounts: Mapping[str, float] = field(default_factory=dict)
    anything: Json = None
    members: ReadOnlyJson = field(default_factory=dict)


MOMENT = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
FULL = Everything(
    text="x",
    flag=True,
    count=2**63 - 1,
    amount=0.5,
    at=MOMENT,
    lasts=timedelta(microseconds=1),
    colour=Colour.RED,
    inner=Inner(number=-1),
    inners=(Inner(number=1), Inner(number=2)),
    amounts={"a": 1, "b": 1.5},
    anything=[1, {"a": None}],
    members={"a": {"b": []}},
)
AS_JSON: JsonObject = {
    "text": "x",
    "flag": True,
    "count": 2**63 - 1,
    "amount": 0.5,
    "at": "2026-01-31T12:00:00.000001+00:00",
    "lasts": 1,
    "colour": "red",
    "inner": {"number": -1},
    "inners": [{"number": 1}, {"number": 2}],
    "amounts": {"a": 1, "b": 1.5},
    "anything": [1, {"a": None}],
    "members": {"a": {"b": []}},
}


def test_all_types_of_members_are_written_and_read() -> None:
    assert write_value(FULL) == AS_JSON
    assert read_value(Everything, AS_JSON) == FULL


def test_what_is_as_new_is_left_out() -> None:
    new = Everything(text="")
    assert write_value(new) == {"text": ""}
    assert read_value(Everything, {"text": ""}) == new


def test_a_number_is_not_as_new_because_it_is_equal_to_false() -> None:
    assert write_value(Everything(text="", count=1)) == {"text": "", "count": 1}


def test_times_of_any_zone_are_read_as_utc() -> None:
    found = read_value(Everything, {"text": "", "at": "2026-01-31T13:00:00.000001+01:00"})
    assert found.at == MOMENT
    assert found.at.tzinfo is UTC
    assert MOMENT.astimezone(timezone(timedelta(hours=1))) == found.at


@table(
    ("value", "path", "hint"),
    [
        ([], "", "object"),
        ({}, "text", "missing"),
        ({"text": None}, "text", "text"),
        ({"text": 1}, "text", "text"),
        ({"text": "", "flg": True}, "flg", "flag"),
        ({"text": "", "flag": 1}, "flag", "true"),
        ({"text": "", "count": True}, "count", "whole"),
        ({"text": "", "count": 1.0}, "count", "whole"),
        ({"text": "", "count": 2**63}, "count", "64"),
        ({"text": "", "amount": "1"}, "amount", "number"),
        ({"text": "", "amount": float("nan")}, "amount", "number"),
        ({"text": "", "at": "yesterday"}, "at", "time"),
        ({"text": "", "at": "2026-01-31T12:00:00"}, "at", "time"),
        ({"text": "", "at": "0001-01-01T00:00:00+23:00"}, "at", "time"),
        ({"text": "", "lasts": "1s"}, "lasts", "whole"),
        ({"text": "", "colour": "rde"}, "colour", "red"),
        ({"text": "", "colour": []}, "colour", "red"),
        ({"text": "", "inner": {}}, "inner.number", "missing"),
        ({"text": "", "inner": {"number": 1, "x": 1}}, "inner.x", "number"),
        ({"text": "", "inners": {}}, "inners", "list"),
        ({"text": "", "inners": [{"number": 1}, {"number": "1"}]}, "inners[1].number", "whole"),
        ({"text": "", "amounts": []}, "amounts", "object"),
        ({"text": "", "amounts": {"a": "1"}}, "amounts.a", "number"),
        ({"text": "", "members": []}, "members", "object"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_path(value: Any, path: str, hint: str) -> None:
    with pytest.raises(TypedJsonError) as caught:
        read_value(Everything, value)
    assert caught.value.path == path
    assert hint in caught.value.message
