"""JSON Patch: the examples of RFC 6902's appendix, the pointers of RFC 6901, and what hostile patches try."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_patch import (
    MOST_DEPTH,
    MOST_OPERATIONS,
    MOST_VALUES,
    apply_patch,
    check_places,
    is_same_json,
    parse_patch,
)
from civitai_mock.domain.json_pointer import PointerError, parse_pointer, print_pointer, value_at
from civitai_mock.domain.json_types import Json
from tests.support.table import table

NAMES = st.text(alphabet="ab~/01-", max_size=3)
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | NAMES
VALUES = st.recursive(
    SCALARS, lambda items: st.lists(items, max_size=3) | st.dictionaries(NAMES, items, max_size=3), max_leaves=8
)


def patched(document: Json, *operations: Json) -> Json:
    return apply_patch(document, parse_patch(list(operations)))


def faults(document: Json, *operations: Json) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as raised:
        patched(document, *operations)
    return raised.value.errors


def op(name: str, path: str, **members: Any) -> Json:
    return {"op": name, "path": path, **members}


def moved(name: str, source: str, path: str) -> Json:
    return {"op": name, "from": source, "path": path}


# By the numbers of RFC 6902, Appendix A.
APPENDIX: dict[str, tuple[Json, Json, Json]] = {
    "A.1 adding an object member": (
        {"foo": "bar"},
        op("add", "/baz", value="qux"),
        {"baz": "qux", "foo": "bar"},
    ),
    "A.2 adding an array element": (
        {"foo": ["bar", "baz"]},
        op("add", "/foo/1", value="qux"),
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 removing an object member": (
        {"baz": "qux", "foo": "bar"},
        op("remove", "/baz"),
        {"foo": "bar"},
    ),
    "A.4 removing an array element": (
        {"foo": ["bar", "qux", "baz"]},
        op("remove", "/foo/1"),
        {"foo": ["bar", "baz"]},
    ),
    "A.5 replacing a value": (
        {"baz": "qux", "foo": "bar"},
        op("replace", "/baz", value="boo"),
        {"baz": "boo", "foo": "bar"},
    ),
    "A.6 moving a value": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        moved("move", "/foo/waldo", "/qux/thud"),
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 moving an array element": (
        {"foo": ["all", "grass", "cows", "eat"]},
        moved("move", "/foo/1", "/foo/3"),
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 testing a value, success": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        op("test", "/foo/1", value=2),
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.10 adding a nested member object": (
        {"foo": "bar"},
        op("add", "/child", value={"grandchild": {}}),
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.11 ignoring unrecognized elements": (
        {"foo": "bar"},
        op("add", "/baz", value="qux", xyz=123),
        {"foo": "bar", "baz": "qux"},
    ),
    "A.14 escape ordering": ({"/": 9, "~1": 10}, op("test", "/~01", value=10), {"/": 9, "~1": 10}),
    "A.16 adding an array value": (
        {"foo": ["bar"]},
        op("add", "/foo/-", value=["abc", "def"]),
        {"foo": ["bar", ["abc", "def"]]},
    ),
}


@table(("document", "operation", "expected"), APPENDIX.values(), ids=APPENDIX.keys())
def test_examples_of_the_appendix(document: Json, operation: Json, expected: Json) -> None:
    assert patched(document, operation) == expected


@pytest.mark.parametrize(
    ("document", "operation", "fault"),
    [
        pytest.param({"baz": "qux"}, op("test", "/baz", value="bar"), "[0].value", id="A.9 testing a value, error"),
        pytest.param({"foo": "bar"}, op("add", "/baz/bat", value="qux"), "[0].path", id="A.12 nonexistent target"),
        pytest.param({"/": 9, "~1": 10}, op("test", "/~01", value="10"), "[0].value", id="A.15 string and number"),
    ],
)
def test_errors_of_the_appendix(document: Json, operation: Json, fault: str) -> None:
    assert list(faults(document, operation)) == [fault]


@table(
    ("document", "operation", "expected"),
    [
        ({"a": 1}, op("add", "", value=[1]), [1]),
        ({"a": 1}, op("replace", "", value={"b": 2}), {"b": 2}),
        ({"a": 1}, op("add", "/a", value=2), {"a": 2}),
        ({"a": [1]}, op("add", "/a/1", value=2), {"a": [1, 2]}),
        ({"a": None}, op("replace", "/a", value=None), {"a": None}),
        ({"a": None}, op("remove", "/a"), {}),
        ({"": 1}, op("replace", "/", value=2), {"": 2}),
        ({"a": {"0": 1}}, op("remove", "/a/0"), {"a": {}}),
        ({"a": {"-": 1}}, op("remove", "/a/-"), {"a": {}}),
        ({"a": [1, 2]}, moved("copy", "/a/0", "/a/-"), {"a": [1, 2, 1]}),
        ({"a": {"b": 1}}, moved("copy", "", "/a/c"), {"a": {"b": 1, "c": {"a": {"b": 1}}}}),
        ({"a": {"b": 1}}, moved("move", "/a", "/a"), {"a": {"b": 1}}),
        ({"a": {"b": 1}}, moved("move", "/a/b", "/a"), {"a": 1}),
        ({"a": {"b": 1}}, moved("move", "/a", ""), {"b": 1}),
        ({"a": 1}, op("test", "", value={"a": 1.0}), {"a": 1}),
        ({"a": [1, {"b": None}]}, op("test", "/a", value=[1, {"b": None}]), {"a": [1, {"b": None}]}),
    ],
)
def test_what_a_patch_does(document: Json, operation: Json, expected: Json) -> None:
    assert patched(document, operation) == expected


@table(
    ("operation", "fault"),
    [
        (op("remove", ""), "[0].path"),
        (op("remove", "/b"), "[0].path"),
        (op("replace", "/b", value=1), "[0].path"),
        (op("test", "/b", value=None), "[0].path"),
        (op("add", "/list/3", value=1), "[0].path"),
        (op("add", "/list/01", value=1), "[0].path"),
        (op("add", "/list/+1", value=1), "[0].path"),
        (op("add", "/list/\u0660", value=1), "[0].path"),
        (op("add", "/list/9999999999", value=1), "[0].path"),
        (op("remove", "/list/-"), "[0].path"),
        (op("replace", "/list/-", value=1), "[0].path"),
        (op("test", "/list/-", value=1), "[0].path"),
        (op("add", "/list/x", value=1), "[0].path"),
        (op("add", "/text/0", value=1), "[0].path"),
        (op("test", "/text/0", value="t"), "[0].path"),
        (op("test", "/list/0", value=True), "[0].value"),
        (moved("move", "/map", "/map/deeper"), "[0].path"),
        (moved("move", "/b", "/c"), "[0].from"),
        (moved("copy", "/list/-", "/c"), "[0].from"),
        (moved("copy", "/map", "/b/c"), "[0].path"),
    ],
)
def test_what_cannot_be_applied_is_named(operation: Json, fault: str) -> None:
    document: Json = {"list": [1, 2], "text": "text", "map": {}}
    before = copy.deepcopy(document)
    assert list(faults(document, operation)) == [fault]
    assert document == before


@table(
    ("body", "expected"),
    [
        ({}, [""]),
        ("add", [""]),
        ([1], ["[0]"]),
        ([op("add", "/a", value=1), []], ["[1]"]),
        ([{"path": "/a"}], ["[0].op"]),
        ([op("ADD", "/a", value=1)], ["[0].op"]),
        ([op("add", "/a")], ["[0].value"]),
        ([op("test", "/a")], ["[0].value"]),
        ([{"op": "remove"}], ["[0].path"]),
        ([{"op": "remove", "path": 1}], ["[0].path"]),
        ([op("remove", "a")], ["[0].path"]),
        ([op("remove", "/a~2")], ["[0].path"]),
        ([op("remove", "/a~")], ["[0].path"]),
        ([op("move", "/a")], ["[0].from"]),
        ([op("copy", "/a", **{"from": "b"})], ["[0].from"]),
        ([op("add", "/a"), op("remove", "b"), op("remove", "/a")], ["[0].value", "[1].path"]),
        ([op("remove", "/a")] * (MOST_OPERATIONS + 1), [""]),
    ],
)
def test_what_is_not_a_patch_is_named(body: Json, expected: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_patch(body)
    assert list(raised.value.errors) == expected


def test_all_operations_are_applied_or_none() -> None:
    document: Json = {"a": [1], "b": {"c": 2}}
    errors = faults(
        document,
        op("add", "/a/-", value=2),
        op("remove", "/b/c"),
        op("test", "/a/1", value=3),
        op("add", "/never", value=1),
    )
    assert list(errors) == ["[2].value"]
    assert document == {"a": [1], "b": {"c": 2}}


def test_what_is_put_in_twice_is_changed_once() -> None:
    value: Json = {"n": 1}
    document: Json = {}
    result = patched(
        document,
        op("add", "/a", value=value),
        moved("copy", "/a", "/b"),
        op("replace", "/b/n", value=2),
        op("add", "/c", value=value),
        op("replace", "/c/n", value=3),
    )
    assert result == {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}}
    assert (value, document) == ({"n": 1}, {})


def test_a_document_cannot_be_doubled_until_memory_is_full() -> None:
    doubling = [moved("copy", "/a", "/a/-") for _ in range(40)]
    errors = faults({"a": [1]}, *doubling)
    assert str(MOST_VALUES) in next(iter(errors.values()))[0]


def test_a_document_cannot_be_nested_beyond_what_can_be_read() -> None:
    nesting = [moved("copy", "/a", "/a/b") for _ in range(MOST_DEPTH + 1)]
    errors = faults({"a": {}}, *nesting)
    assert list(errors) == [f"[{MOST_DEPTH - 1}].path"]
    deepest = patched({"a": {}}, *nesting[: MOST_DEPTH - 1])
    assert value_at(deepest, ("a", *["b"] * (MOST_DEPTH - 1))) == {}


@table(
    ("operation", "faulty"),
    [
        (op("add", "/metadata/a", value=1), None),
        (op("replace", "/metadata", value={}), None),
        (op("add", "/tags/-", value="x"), None),
        (op("test", "/status", value="x"), None),
        (moved("copy", "/status", "/metadata/status"), None),
        (op("replace", "/status", value="x"), "[0].path"),
        (op("replace", "", value={}), "[0].path"),
        (op("remove", "/steps/0"), "[0].path"),
        (moved("move", "/id", "/metadata/id"), "[0].from"),
        (moved("move", "/metadata/id", "/id"), "[0].path"),
        (op("add", "/metadata~1a", value=1), "[0].path"),
    ],
)
def test_only_some_members_may_be_changed(operation: Json, faulty: str | None) -> None:
    operations = parse_patch([operation])
    if faulty is None:
        check_places(operations, {"metadata", "tags"})
    else:
        with pytest.raises(InvalidRequestError) as raised:
            check_places(operations, {"metadata", "tags"})
        assert list(raised.value.errors) == [faulty]
        assert "expected /metadata, /tags" in raised.value.errors[faulty][0]


@table(
    ("one", "other", "are_same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, False, False),
        ("1", 1, False),
        ([1, [2]], [1.0, [2.0]], True),
        ([1], [1, 2], False),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({}, [], False),
    ],
)
def test_values_are_compared_as_json(one: Json, other: Json, are_same: bool) -> None:
    assert is_same_json(one, other) is are_same
    assert is_same_json(other, one) is are_same


# RFC 6901, section 5.
POINTED: Json = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@table(
    ("pointer", "value"),
    [
        ("", POINTED),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_a_pointer_names_a_value(pointer: str, value: Json) -> None:
    assert value_at(POINTED, parse_pointer(pointer)) == value
    assert print_pointer(parse_pointer(pointer)) == pointer


@given(st.lists(NAMES, max_size=4))
def test_a_pointer_is_read_as_it_was_printed(parts: list[str]) -> None:
    assert parse_pointer(print_pointer(tuple(parts))) == tuple(parts)


@given(st.text(alphabet="/~01a", max_size=6))
def test_a_text_is_a_pointer_or_refused(text: str) -> None:
    try:
        pointer = parse_pointer(text)
    except PointerError:
        assert not text.startswith("/") or "~" in text
    else:
        assert print_pointer(pointer) == text


@given(st.dictionaries(NAMES, VALUES, max_size=3), NAMES, VALUES)
def test_what_was_added_is_there_and_can_be_removed(document: dict[str, Json], name: str, value: Json) -> None:
    place = print_pointer((name,))
    before = copy.deepcopy(document)
    added = patched(document, op("add", place, value=value), op("test", place, value=value))
    assert is_same_json(value_at(added, (name,)), value)
    assert patched(added, op("remove", place)) == {other: item for other, item in before.items() if other != name}
    assert document == before


@given(VALUES, VALUES)
def test_a_document_becomes_any_other(document: Json, other: Json) -> None:
    assert is_same_json(patched(document, op("replace", "", value=other), op("test", "", value=other)), other)


@given(
    VALUES,
    st.lists(
        st.builds(op, st.sampled_from(["add", "remove", "replace", "test"]), NAMES.map("/".__add__), value=VALUES),
        max_size=4,
    ),
)
def test_a_patch_applies_or_is_refused_and_changes_nothing(document: Json, operations: list[Json]) -> None:
    before = copy.deepcopy(document)
    try:
        patched(document, *operations)
    except InvalidRequestError as error:
        assert error.errors  # noqa: PT017 - not raised for most examples
    assert is_same_json(document, before)
