"""The text of a graph is as json writes it, whoever writes it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.generation import graph as graphs
from civitai_mock.generation.graph import graph_text
from tests.support.generation import graph_of
from tests.support.table import table
from tests.unit.generation.test_graphs import CASES

ODD = [1e-4, 1e-5, 9.99e-5, -0.00001234, 1e15, 1e16, 1e22, -1.5e300, 5e-324, 0.0, -0.0, float("nan"), float("inf")]
NUMBERS = st.sampled_from(ODD) | st.floats() | st.integers()
TEXTS = st.sampled_from(["\x7f", "\u2028", '"\\/\b\f\n\r\t\0\x1f', "\ud800", "ключ", ":1e5", "null"]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def text_of_json(graph: Any) -> str:
    return json.dumps(graph, separators=(",", ":"), ensure_ascii=False)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_any_graph_is_written_as_json_writes_it(graph: Any) -> None:
    assert graph_text(graph) == text_of_json(graph)


@table("number", ODD)
def test_odd_numbers_are_written_as_json_writes_them(number: float) -> None:
    graphs_with_it: list[Any] = [{"a": number}, {"a": [1, number]}, {"a": [number]}, {"a": {"b": -number}}]
    for graph in graphs_with_it:
        assert graph_text(graph) == text_of_json(graph)


@pytest.mark.parametrize("name", CASES)
def test_a_graph_that_was_built_here_needs_no_json(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(CASES[name])
    expected = text_of_json(graph)
    monkeypatch.setattr(graphs, "_json_text", lambda _: "")
    assert graph_text(graph) == expected
