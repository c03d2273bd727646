"""Bodies of changes: each member by its type, all faults at once, and the name that was probably meant."""

from enum import StrEnum
from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.members import Members, read_members
from tests.support.table import table


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def _parse(body: Members) -> dict[str, Any]:
    inner = body.inner("inner")
    return {
        "text": body.text("text", most=5),
        "texts": body.texts("texts", most=2),
        "word": body.word("word", Colour),
        "whole": body.whole("whole", least=0, most=9),
        "number": body.number("number", least=0, most=1),
        "flag": body.flag("flag"),
        "parsed": body.parsed("parsed", _only_x, expected="an x"),
        "inner": inner and inner.whole("seed", most=9),
        "each": [item.text("name") for item in body.each("each", most=2) or ()],
    }


def _only_x(value: Any) -> str:
    if value != "x":
        raise ValueError
    return "X"


def test_members_are_read_by_their_types() -> None:
    body: Any = {
        "text": "hello",
        "texts": ["a", "b"],
        "word": "green",
        "whole": 9,
        "number": 1,
        "flag": False,
        "parsed": "x",
        "inner": {"seed": -(2**63)},
        "each": [{"name": "a"}, {}],
    }
    expected = body | {"word": Colour.GREEN, "parsed": "X", "inner": -(2**63), "each": ["a", None]}
    assert read_members(body, _parse) == expected


@pytest.mark.parametrize("body", [{}, dict.fromkeys(["text", "texts", "word", "inner", "each", "flag", "parsed"])])
def test_what_is_missing_or_null_is_none(body: Any) -> None:
    assert {name: value for name, value in read_members(body, _parse).items() if value} == {}


@table(
    ("body", "path", "message"),
    [
        ({"text": ""}, "text", 'Expected a text of 1 to 5 characters; found "".'),
        ({"text": "longer"}, "text", 'Expected a text of 1 to 5 characters; found "longer".'),
        ({"text": 5}, "text", "Expected a text of 1 to 5 characters; found 5."),
        ({"texts": "a"}, "texts", 'Expected a list of at most 2 texts that are not empty; found "a".'),
        ({"texts": ["a", 1]}, "texts", 'Expected a list of at most 2 texts that are not empty; found ["a",1].'),
        ({"texts": ["a"] * 3}, "texts", 'Expected a list of at most 2 texts that are not empty; found ["a","a","a"].'),
        ({"word": 1}, "word", "Expected one of red, green; found 1."),
        ({"word": "gren"}, "word", "Unknown value 'gren'; known are red, green. Did you mean 'green'?"),
        ({"whole": 10}, "whole", "Expected a whole number from 0 to 9; found 10."),
        ({"whole": 1.0}, "whole", "Expected a whole number from 0 to 9; found 1.0."),
        ({"whole": True}, "whole", "Expected a whole number from 0 to 9; found true."),
        ({"number": "1"}, "number", 'Expected a number from 0 to 1; found "1".'),
        ({"number": True}, "number", "Expected a number from 0 to 1; found true."),
        ({"number": 1.5}, "number", "Expected a number from 0 to 1; found 1.5."),
        ({"flag": 0}, "flag", "Expected true or false; found 0."),
        ({"parsed": "y"}, "parsed", 'Expected an x; found "y".'),
        ({"inner": []}, "inner", "Expected a JSON object; found []."),
        ({"inner": {"seed": 10}}, "inner.seed", "found 10."),
        ({"inner": {"sed": 1}}, "inner.sed", "Unknown member 'sed'; known are seed. Did you mean 'seed'?"),
        ({"each": [1]}, "each", "Expected a list of at most 2 JSON objects; found [1]."),
        ({"each": [{}, {"nam": 1}]}, "each[1].nam", "Unknown member 'nam'; known are name. Did you mean 'name'?"),
        ({"txt": 1}, "txt", "Did you mean 'text'?"),
        ([], "$", "Expected a JSON object."),
        (None, "$", "Expected a JSON object."),
    ],
)
def test_what_is_wrong_is_told_by_its_path(body: Any, path: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_members(body, _parse)
    ((found_path, (found,)),) = refused.value.errors.items()
    assert found_path == path
    assert found.endswith(message)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_members({"text": 1, "flg": True, "inner": {"seed": "x", "other": 1}}, _parse)
    assert set(refused.value.errors) == {"text", "flg", "inner.seed", "inner.other"}


@pytest.mark.parametrize(("body", "chosen"), [({"by": "1s"}, "by"), ({"to": "x", "by": None}, "to")])
def test_exactly_one_of_several_members_is_there(body: Any, chosen: str) -> None:
    assert read_members(body, lambda members: members.exactly_one("by", "to")) == chosen


@pytest.mark.parametrize(("body", "path"), [({}, "$"), ({"by": "1s", "to": "x"}, "to")])
def test_none_or_several_of_them_are_a_fault(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_members(body, lambda members: members.exactly_one("by", "to"))
    assert refused.value.errors == {path: ["Expected exactly one of by, to."]}


def test_a_required_member_is_asked_for() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_members({}, lambda members: members.required("mode", members.text("mode")))
    assert refused.value.errors == {"mode": ["This member is required."]}
    with pytest.raises(InvalidRequestError) as refused:
        read_members({"mode": 1}, lambda members: members.required("mode", members.text("mode")))
    assert len(refused.value.errors["mode"]) == 1


def test_an_object_where_nothing_is_known_takes_nothing() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_members({"x": 1}, lambda _: None)
    assert refused.value.errors == {"x": ["No member is known here."]}
