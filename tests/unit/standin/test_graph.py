"""The order in which the nodes of a graph run on the stand-in."""

from typing import Any

from civitai_mock.comfyui_standin.execution.graph import RunOrder
from tests.support.standin_session import text_to_image, with_node


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
