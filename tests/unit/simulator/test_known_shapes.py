"""What is known of a shape is what reading a graph of that shape would give, but for its texts and seeds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitai_mock.generation.graph import Graph
from civitai_mock.generation.graph_reader.image_batches.batch import Load
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.providers.simulator import known_shapes
from civitai_mock.providers.simulator.graph_check import GraphRefusedError, check_graph
from civitai_mock.providers.simulator.known_shapes import FREE_INPUTS, KnownShapes
from tests.support.generation import graph_of
from tests.unit.generation.test_graphs import CASES

TEXTS = st.sampled_from(["", "a fox", " a fox ", "snow, a fox", "20", "\n", "\0", "\ud800", "None"]) | st.text()
SEEDS = st.sampled_from([0, 1, 2**32 - 1, 2**53 + 1, 2**63 - 1, -1]) | st.integers(0, 2**32)
GRAPHS: dict[str, Graph] = {name: graph_of(template) for name, template in CASES.items()}


def with_input(graph: Graph, node_id: str, name: str, value: Any) -> Graph:
    node: Any = graph[node_id]
    return {**graph, node_id: {**node, "inputs": {**node["inputs"], name: value}}}


def refilled(data: st.DataObject, graph: Graph) -> Graph:
    """Return the graph of another request of the same shape."""
    for node_id, node in graph.items():
        name, plain = FREE_INPUTS.get(str(node["class_type"]), ("", ""))
        if name:
            graph = with_input(graph, node_id, name, data.draw(SEEDS if plain == 0 else TEXTS))
    return graph


def plain(outputs: Sequence[OutputImages]) -> Sequence[OutputImages]:
    """Leave out what graphs of one shape differ in."""
    return [
        replace(output, passes=tuple(replace(each, seed=0, prompt_text="", negative_text="") for each in output.passes))
        for output in outputs
    ]


def read(shapes: KnownShapes, monkeypatch: pytest.MonkeyPatch, graph: Graph) -> tuple[Sequence[OutputImages], int]:
    """Return what is read, and how many graphs had to be checked for it."""
    checked: list[Any] = []

    def check(graph: Any, load: Load) -> Sequence[OutputImages]:
        checked.append(graph)
        return check_graph(graph, load=load)

    with monkeypatch.context() as patch:
        patch.setattr(known_shapes, "check_graph", check)
        return shapes.read(graph).files, len(checked)


@pytest.mark.parametrize("name", GRAPHS)
@settings(max_examples=10)
@given(data=st.data())
def test_a_graph_of_a_known_shape_makes_what_reading_it_says(name: str, data: st.DataObject) -> None:
    shapes = KnownShapes()
    for _ in range(3):
        graph = refilled(data, GRAPHS[name])
        assert shapes.read(graph).files == plain(check_graph(graph))


def test_only_the_first_graph_of_a_shape_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = KnownShapes()
    assert read(shapes, monkeypatch, GRAPHS["sd1-plain"])[1] == 1
    other = with_input(GRAPHS["sd1-plain"], "KSampler", "seed", 7)
    assert read(shapes, monkeypatch, other) == (plain(check_graph(other)), 0)


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_other_shapes_are_not_taken_for_known_ones(name: str) -> None:
    shapes = KnownShapes()
    for graph in GRAPHS.values():
        shapes.read(graph)
    assert shapes.read(GRAPHS[name]).files == plain(check_graph(GRAPHS[name]))


def test_each_value_that_is_not_free_makes_another_shape() -> None:
    shapes, graph = KnownShapes(), GRAPHS["sd1-plain"]
    shapes.read(graph)
    for node_id, node in graph.items():
        inputs: Any = node["inputs"]
        for name, value in inputs.items():
            other = with_input(graph, node_id, name, value if isinstance(value, list) else value * 2)
            assert shapes.read(other).files == plain(check_graph(other)), (node_id, name)


def test_a_graph_that_is_refused_is_refused_each_time() -> None:
    shapes = KnownShapes()
    graph = {name: node for name, node in GRAPHS["sd1-plain"].items() if node["class_type"] != "SaveImage"}
    for _ in range(2):
        with pytest.raises(GraphRefusedError, match="no outputs"):
            shapes.read(graph)


@pytest.mark.parametrize(("seed", "text"), [(2**70, "a"), (1.5, "a"), ("7", "a"), (1, 5), (1, ["EmptyLatentImage", 0])])
def test_values_that_no_request_has_are_read_as_they_are(seed: Any, text: Any) -> None:
    graph = with_input(GRAPHS["sd1-plain"], "KSampler", "seed", seed)
    graph = with_input(graph, "CLIPTextEncode", "text", text)
    assert plain(KnownShapes().read(graph).files) == plain(check_graph(graph))


def test_a_link_that_leads_nowhere_is_refused_also_where_a_text_would_be_free() -> None:
    graph = with_input(GRAPHS["sd1-plain"], "CLIPTextEncode", "text", ["x", 0])
    with pytest.raises(GraphRefusedError, match="'x'"):
        KnownShapes().read(graph)


def test_no_more_shapes_are_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_shapes, "MOST_SHAPES", 2)
    shapes, names = KnownShapes(), ["sd1-plain", "sd1-size", "sd1-batch"]
    assert [read(shapes, monkeypatch, GRAPHS[name])[1] for name in (*names, names[2], names[0])] == [1, 1, 1, 0, 1]
