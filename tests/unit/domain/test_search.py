"""A job's properties, as they are looked for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.search import property_paths
from tests.support.table import table

NAMES = st.text(max_size=2)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES
VALUES = st.recursive(
    SCALARS, lambda items: st.lists(items, max_size=2) | st.dictionaries(NAMES, items, max_size=2), max_leaves=6
)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=3)


def matches(query: JsonObject, properties: JsonObject) -> bool:
    return property_paths(query) <= property_paths(properties)


@given(PROPERTIES)
def test_properties_are_found_by_themselves_after_a_round_trip(properties: JsonObject) -> None:
    assert property_paths(json.loads(json.dumps(properties))) == property_paths(properties)


@given(PROPERTIES, st.data())
def test_properties_are_found_by_any_part_of_them(properties: JsonObject, data: st.DataObject) -> None:
    assert matches(data.draw(_parts(properties)), properties)


@given(PROPERTIES)
def test_every_leaf_tells_where_its_value_stands(properties: JsonObject) -> None:
    for leaf in property_paths(properties):
        *path, value = json.loads(leaf)
        assert _at(properties, path) == value


@given(PROPERTIES, PROPERTIES)
def test_only_equal_properties_have_equal_leaves(one: JsonObject, other: JsonObject) -> None:
    assert (property_paths(one) == property_paths(other)) == (_exact(one) == _exact(other))


@pytest.mark.parametrize(
    ("query", "properties"),
    [
        ({}, {}),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1.0, "b": 2}),
        ({"a": {"b": None}}, {"a": {"b": None, "c": []}}),
        ({"a": {}}, {"a": {}}),
        ({"a.b": 1, "$or": []}, {"a.b": 1, "$or": []}),
        ({"a": [{"y": 1, "x": 2}]}, {"a": [{"x": 2, "y": 1.0}]}),
    ],
)
def test_what_is_asked_for_is_there(query: JsonObject, properties: JsonObject) -> None:
    assert matches(query, properties)


@table(
    ("query", "properties"),
    [
        ({"a": 1}, {}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": None}),
        ({"a": 0}, {"a": False}),
        ({"a": 1}, {"A": 1}),
        ({"a.b": 1}, {"a": {"b": 1}}),
        ({"a": ["b", 1]}, {"a": {"b": 1}}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": {}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {}}),
        ({"b": 1}, {"a": {"b": 1}}),
    ],
)
def test_what_only_looks_alike_is_something_else(query: JsonObject, properties: JsonObject) -> None:
    assert not matches(query, properties)


def _parts(value: Any) -> st.SearchStrategy[Any]:
    """Objects with members left out, at any depth; never an empty one in the place of a full one."""
    if not isinstance(value, dict) or not value:
        return st.just(value)
    names = st.sets(st.sampled_from(sorted(value)), min_size=1)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: _parts(value[name]) for name in sorted(chosen)}))


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value[name]
    return value


def _exact(value: Json) -> Any:
    """Equal as JSON: 1 is 1.0 and not true."""
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return (type(value) is bool, value)
