"""Graphs that the simulator refuses, as ComfyUI does."""

from pathlib import Path
from typing import Any

import pytest

from civitai_mock.providers.simulator.graph_check import GraphRefusedError, check_graph
from tests.support.comfy_graphs import RECORDED, Graph, load_graph, node, text_to_image
from tests.support.table import table

INNER = "exception_during_inner_validation"
FAILED = "prompt_outputs_failed_validation"


def with_inputs(node_id: str, **inputs: Any) -> Graph:
    graph = text_to_image()
    graph[node_id]["inputs"] |= inputs
    return graph


def with_node(node_id: str, value: Any) -> Graph:
    return text_to_image() | {node_id: value}


@pytest.mark.parametrize(
    ("graph", "error_type"),
    [
        ({}, "prompt_no_outputs"),
        ({"4": node("CheckpointLoaderSimple", ckpt_name="x")}, "prompt_no_outputs"),
        (with_node("3", {"inputs": {}}), "invalid_prompt"),
        (with_node("3", "KSampler"), "invalid_prompt"),
        (with_inputs("5", samples=["8", 0]), FAILED),
    ],
    ids=["empty", "no output", "no class", "no node", "circle"],
)
def test_a_graph_may_be_refused_as_a_whole(graph: Graph, error_type: str) -> None:
    with pytest.raises(GraphRefusedError) as caught:
        check_graph(graph)
    assert caught.value.evidence == {"error_type": error_type, "node_errors": []}


@pytest.mark.parametrize(
    ("graph", "node_id", "node_type", "fault", "details"),
    [
        (with_inputs("3", model=["99", 0]), "3", "KSampler", INNER, "'99'"),
        (with_inputs("3", model=[4, 0]), "3", "KSampler", INNER, "4"),
        (with_inputs("3", model=["4"]), "3", "KSampler", "bad_linked_input", "model"),
        (with_node("3", {"class_type": "KSampler"}), "3", "KSampler", INNER, "'inputs'"),
        (with_node("9", node("SaveImage")), "9", "SaveImage", "required_input_missing", "images"),
        (text_to_image(width=20000), "9", "SaveImage", "value_bigger_than_max", "width"),
        (text_to_image(batch=4097), "9", "SaveImage", "value_bigger_than_max", "batch_size"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_which_node(
    graph: Graph, node_id: str, node_type: str, fault: str, details: str
) -> None:
    with pytest.raises(GraphRefusedError) as caught:
        check_graph(graph)
    node_errors = caught.value.evidence["node_errors"]
    assert isinstance(node_errors, list)
    (told,) = node_errors
    assert told == {
        "node_id": node_id,
        "node_type": node_type,
        "type": fault,
        "message": told["message"],
        "details": details,
    }
    assert node_id in caught.value.message


def test_loose_ends_that_no_output_needs_are_accepted() -> None:
    assert check_graph(with_node("50", node("KSampler", model=["99", 0])))


@table("path", RECORDED, ids=lambda path: path.stem)
def test_a_graph_that_a_real_server_ran_is_accepted(path: Path) -> None:
    assert check_graph(load_graph(path))
