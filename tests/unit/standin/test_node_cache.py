"""The node cache and the order of nodes on the stand-in."""

from collections.abc import Mapping
from typing import Any

import pytest

from civitai_mock.comfyui_standin.execution.graph import RunOrder
from civitai_mock.comfyui_standin.execution.node_cache import NodeCache, NodeResult, signatures
from tests.support.standin_session import text_to_image, with_inputs, with_node


def unmarked(class_type: str, inputs: Mapping[str, Any]) -> str | None:
    return None if class_type == "SaveImageWebsocket" else ""


def sign(graph: Any, node_id: str = "9") -> str | None:
    return signatures(graph, unmarked)[node_id]


def test_ids_and_the_order_of_inputs_do_not_matter() -> None:
    graph = text_to_image()
    renamed = {
        f"n{node_id}": {
            "class_type": node["class_type"],
            "inputs": {
                name: [f"n{value[0]}", value[1]] if isinstance(value, list) else value
                for name, value in reversed(node["inputs"].items())
            },
        }
        for node_id, node in graph.items()
    }
    assert sign(graph) == sign(renamed, "n9")


@pytest.mark.parametrize(
    ("node_id", "changed", "same"),
    [("3", {"seed": 2}, False), ("6", {"text": "other"}, False), ("8", {"vae": ["4", 1]}, False), ("9", {}, True)],
)
def test_whatever_is_above_matters(node_id: str, changed: dict[str, Any], same: bool) -> None:
    assert (sign(text_to_image()) == sign(with_inputs(text_to_image(), node_id, **changed))) is same


def test_what_is_below_does_not_matter() -> None:
    assert sign(text_to_image(), "8") == sign(text_to_image(prefix="other"), "8")


@pytest.mark.parametrize(
    "graph",
    [
        with_inputs(text_to_image(), "3", cfg=float("nan")),
        with_inputs(text_to_image(), "3", stranger=["12345", 0]),
        with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0]),
    ],
    ids=["NaN", "from nowhere", "never the same"],
)
def test_some_nodes_are_never_the_same(graph: Any) -> None:
    assert sign(graph) is None
    cache = NodeCache(unmarked)
    cache.open(graph)
    cache.put("9", NodeResult())
    assert cache.get("9") is not None
    cache.open(graph)
    assert cache.get("9") is None


def test_a_graph_may_be_deep() -> None:
    """As deep as a request may be large, though nobody needs these nodes."""
    graph = {str(n): {"class_type": "X", "inputs": {"in": [str(n + 1), 0]}} for n in range(10_000)}
    graph["10000"] = {"class_type": "X", "inputs": {}}
    assert len(set(signatures(graph, unmarked).values())) == len(graph)


def test_a_circle_is_never_the_same() -> None:
    graph = {
        "a": {"class_type": "X", "inputs": {"in": ["b", 0]}},
        "b": {"class_type": "X", "inputs": {"in": ["a", 0]}},
        "c": {"class_type": "X", "inputs": {"in": ["b", 0]}},
    }
    assert signatures(graph, unmarked) == {"a": None, "b": None, "c": None}


def test_a_node_without_inputs_cannot_be_told_from_others() -> None:
    with pytest.raises(KeyError, match="inputs"):
        NodeCache(unmarked).open({"1": {"class_type": "X"}})


def order_of(graph: Any, outputs: list[str], cached: str = "") -> list[str]:
    order = RunOrder(
        graph,
        outputs,
        is_cached=lambda node_id: node_id in cached.split(),
        is_output=lambda node_id: graph[node_id]["class_type"] == "SaveImage",
    )
    taken = []
    while (node_id := order.take()) is not None:
        taken.append(node_id)
        order.mark_done(node_id)
    return taken


def test_nodes_run_in_the_recorded_order() -> None:
    assert order_of(text_to_image(), ["9"]) == ["4", "5", "7", "6", "3", "8", "9"]


def test_nothing_above_a_cached_node_runs() -> None:
    assert order_of(text_to_image(), ["9"], cached="4 5 6 7 3") == ["8", "9"]
    assert order_of(text_to_image(), ["9"], cached="4 5 6 7 3 8 9") == ["9"]


def test_an_output_that_is_ready_comes_first() -> None:
    graph = with_node(text_to_image(), "40", "EmptyImage", width=64)
    graph = with_node(graph, "41", "SaveImage", images=["40", 0])
    taken = order_of(graph, ["9", "41"])
    assert taken.index("41") < taken.index("3")
