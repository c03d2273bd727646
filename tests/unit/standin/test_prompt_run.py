"""What a run of a prompt reports: the progress of its nodes, and the inputs of a node that fails."""

import json

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.prompt_run import current_inputs
from civitai_mock.comfyui_standin.execution.run_context import ProgressRegistry, RunningNode
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.validation.definitions import read_definitions


def test_the_progress_of_all_nodes_is_encoded_as_any_other_message() -> None:
    progress = ProgressRegistry('p"1')
    progress.start("a")
    progress.finish("a")
    state = json.loads(progress.update('b"', 2, 4).text)
    nodes = {
        "a": {"value": 1.0, "max": 1.0, "state": "finished", **messages.node_ids('p"1', "a")},
        'b"': {"value": 2, "max": 4, "state": "running", **messages.node_ids('p"1', 'b"')},
    }
    assert state == {"type": "progress_state", "data": {"prompt_id": 'p"1', "nodes": nodes}}


def test_an_error_shows_literals_and_hidden_inputs_and_only_names_links() -> None:
    definition = read_definitions()["LumaReferenceNode"]
    inputs = {"image": ["1", 0], "weight": 0.5, "stranger": 1, "luma_ref": {"a": 1}}
    node = RunningNode(id="7", definition=definition, inputs=inputs)
    item = QueueItem(number=0, prompt_id="p", graph={}, extra_data={}, outputs=["7"])
    assert current_inputs(node, item) == {
        "image": ["<image>"],
        "weight": [0.5],
        "luma_ref": ["{'a': 1}"],
        "auth_token_comfy_org": [None],
        "api_key_comfy_org": [None],
        "unique_id": ["7"],
    }
