"""The node cache of the stand-in: which nodes count as unchanged."""

from collections.abc import Mapping
from typing import Any

import pytest

from civitai_mock.comfyui_standin.execution.node_cache import NodeCache, NodeResult, signatures
from tests.support.standin_session import text_to_image, with_inputs, with_node


def fingerprint(class_type: str, inputs: Mapping[str, Any]) -> str | None:
    return None if class_type == "SaveImageWebsocket" else ""


def signature_of(graph: Any, node_id: str = "9") -> str | None:
    return signatures(graph, fingerprint)[node_id]


def test_a_signature_does_not_depend_on_ids_and_the_order_of_inputs() -> None:
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
    assert signature_of(graph) == signature_of(renamed, "n9")


@pytest.mark.parametrize(
    ("node_id", "changed", "same"),
    [("3", {"seed": 2}, False), ("6", {"text": "other"}, False), ("8", {"vae": ["4", 1]}, False), ("9", {}, True)],
)
def test_a_change_above_a_node_changes_its_signature(node_id: str, changed: dict[str, Any], same: bool) -> None:
    assert (signature_of(text_to_image()) == signature_of(with_inputs(text_to_image(), node_id, **changed))) is same


def test_a_change_below_a_node_does_not_change_its_signature() -> None:
    assert signature_of(text_to_image(), "8") == signature_of(text_to_image(prefix="other"), "8")


@pytest.mark.parametrize(
    "graph",
    [
        with_inputs(text_to_image(), "3", cfg=float("nan")),
        with_inputs(text_to_image(), "3", stranger=["12345", 0]),
        with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0]),
    ],
    ids=["NaN", "from nowhere", "never the same"],
)
def test_some_nodes_never_count_as_unchanged(graph: Any) -> None:
    assert signature_of(graph) is None
    cache = NodeCache(fingerprint)
    cache.open(graph)
    cache.put("9", NodeResult())
    assert cache.get("9") is not None
    cache.open(graph)
    assert cache.get("9") is None


def test_a_graph_may_be_deep() -> None:
    """Have as many nodes as a request may hold, though no output needs them."""
    graph = {str(n): {"class_type": "X", "inputs": {"in": [str(n + 1), 0]}} for n in range(10_000)}
    graph["10000"] = {"class_type": "X", "inputs": {}}
    assert len(set(signatures(graph, fingerprint).values())) == len(graph)


def test_nodes_in_a_circle_never_count_as_unchanged() -> None:
    graph = {
        "a": {"class_type": "X", "inputs": {"in": ["b", 0]}},
        "b": {"class_type": "X", "inputs": {"in": ["a", 0]}},
        "c": {"class_type": "X", "inputs": {"in": ["b", 0]}},
    }
    assert signatures(graph, fingerprint) == {"a": None, "b": None, "c": None}


def test_a_node_without_inputs_has_no_signature() -> None:
    with pytest.raises(KeyError, match="inputs"):
        NodeCache(fingerprint).open({"1": {"class_type": "X"}})
