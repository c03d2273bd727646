"""The body of POST /prompt is built from a graph."""

import pytest

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.ports import Submission
from civitai_mock.providers.comfyui.graphs.payload import (
    base_models,
    normalized_graph,
    prompt_payload,
    streaming_nodes,
    with_fresh_prefix,
)

GRAPH: JsonObject = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "5": {"class_type": "UNETLoader", "inputs": {"unet_name": "b.safetensors", "weight_dtype": "default"}},
    "8": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["7", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "x/y"}},
}


SUBMISSION = Submission(prompt_id="p", job_id="j", trace_id="t", graph=GRAPH)


def test_a_node_without_inputs_gets_some_because_it_would_end_the_servers_worker() -> None:
    assert normalized_graph({"1": {"class_type": "X", "_meta": {"title": "x"}}}) == {
        "1": {"class_type": "X", "_meta": {"title": "x"}, "inputs": {}}
    }


@pytest.mark.parametrize(
    "node", [None, [], "x", {}, {"class_type": 3}, {"class_type": ""}, {"class_type": "X", "inputs": []}]
)
def test_what_is_no_node_is_no_graph(node: Json) -> None:
    with pytest.raises(JobError, match="'1'"):
        normalized_graph({"1": node})


def test_the_payload_has_ids_that_were_chosen_before_and_an_object_as_extra_data() -> None:
    assert prompt_payload(SUBMISSION, GRAPH, client_id="c") == {
        "prompt": GRAPH,
        "prompt_id": "p",
        "client_id": "c",
        "extra_data": {"civitai_mock_job_id": "j", "trace_id": "t"},
    }


def test_images_come_over_the_socket_from_one_class_of_node() -> None:
    assert streaming_nodes(GRAPH) == {"8"}


def test_the_base_models_of_a_graph_are_those_of_its_loaders() -> None:
    assert base_models(GRAPH) == {"a.safetensors", "b.safetensors"}


def test_a_fresh_prefix_changes_nothing_but_file_names() -> None:
    renamed = with_fresh_prefix(GRAPH, "again")
    assert renamed["9"] == {
        "class_type": "SaveImage",
        "inputs": {"images": ["7", 0], "filename_prefix": "x/y_again"},
    }
    assert {node_id: node for node_id, node in renamed.items() if node_id != "9"} == {
        node_id: node for node_id, node in GRAPH.items() if node_id != "9"
    }
