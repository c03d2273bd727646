"""Parts of the stand-in that no client sees by themselves."""

import json

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.prompt_run import current_inputs
from civitai_mock.comfyui_standin.execution.run_context import ProgressRegistry, RunningNode
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.comfyui_standin.socket_hub import MAX_WAITING_BYTES, MAX_WAITING_FRAMES, SocketConnection, SocketHub
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.prompt_stats import MAX_PROMPTS, PromptStats
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.validation.definitions import read_definitions
from tests.support.dates import START
from tests.support.standin import draw_plain


def test_a_client_that_does_not_read_is_dropped_rather_than_remembered_for_ever() -> None:
    connection = SocketConnection("c")
    for _ in range(MAX_WAITING_FRAMES):
        connection.send("message")
    assert not connection.dropped.is_set()
    connection.send("one too many")
    assert connection.dropped.is_set()


def test_a_client_that_does_not_read_large_messages_is_dropped_sooner() -> None:
    connection = SocketConnection("c")
    large = "x" * (MAX_WAITING_BYTES // 2)
    for _ in range(2):
        connection.send(large)
    assert not connection.dropped.is_set()
    connection.send("one too many")
    assert connection.dropped.is_set()


async def test_what_a_client_has_read_counts_no_more() -> None:
    connection = SocketConnection("c")
    for _ in range(3):
        connection.send("x" * (MAX_WAITING_BYTES // 2))
        await connection.next_frame()
    assert not connection.dropped.is_set()


def test_the_progress_of_all_nodes_is_told_as_any_other_message() -> None:
    board = ProgressRegistry('p"1')
    board.start("a")
    board.finish("a")
    state = json.loads(board.update('b"', 2, 4).text)
    nodes = {
        "a": {"value": 1.0, "max": 1.0, "state": "finished", **messages.node_ids('p"1', "a")},
        'b"': {"value": 2, "max": 4, "state": "running", **messages.node_ids('p"1', 'b"')},
    }
    assert state == {"type": "progress_state", "data": {"prompt_id": 'p"1', "nodes": nodes}}


def test_the_ledger_forgets_the_oldest_prompts() -> None:
    stats = PromptStats()
    for number in range(MAX_PROMPTS + 1):
        stats.facts_of(str(number)).accepted += 1
    assert len(stats.prompts) == MAX_PROMPTS
    assert "0" not in stats.prompts


def test_a_fault_with_a_count_strikes_that_often() -> None:
    faults = FaultControl()
    faults.set(half_images=2)
    assert [faults.consume("half_images") for _ in range(3)] == [True, True, False]


def test_an_unasked_prompt_has_no_facts_and_leaves_none() -> None:
    standin = Standin(clock=VirtualClock(START), models={}, draw=draw_plain, options=StandinOptions())
    assert standin.prompt("nobody").accepted == 0
    assert standin.state.stats.prompts == {}


def test_before_it_is_started_there_is_no_life() -> None:
    standin = Standin(clock=VirtualClock(START), models={}, draw=draw_plain, options=StandinOptions())
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = standin.life


def test_an_error_tells_literals_and_hidden_inputs_and_only_names_links() -> None:
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


def test_shuffling_swaps_neighbours_and_holds_no_ending_back() -> None:
    faults = FaultControl()
    faults.set(shuffled=True)
    hub = SocketHub(faults)
    connection = hub.connect("c")
    first, second, ending = messages.executing("p", "1"), messages.executing("p", "2"), messages.executing("p", None)
    for message in (first, second, ending, first):
        hub.send_about_prompt(message, "c")
    assert list(connection.waiting) == [second.text, first.text, ending.text]


def test_images_of_an_unannounced_prompt_are_not_shown() -> None:
    faults = FaultControl()
    faults.set(unannounced=True)
    hub = SocketHub(faults)
    connection = hub.connect("c")
    hub.send_preview(messages.PreviewFrame(format=messages.PNG, content=b"", metadata={}), None)
    assert list(connection.waiting) == []
