"""The bodies of /queue and /history are read, recorded and malformed ones."""

from typing import Any

import pytest

from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.protocol.records import (
    QueuedPrompt,
    QueuePlace,
    read_history,
    read_queue,
    read_queued_prompt,
)
from tests.support.transcripts import history, queue


def test_a_recorded_queue_says_what_runs_and_what_waits() -> None:
    places = read_queue(queue("queue_full_shape"))
    assert places["6e9e5450-2e6e-4bff-9ce0-c6aac7b4b710"] is QueuePlace.RUNNING
    assert list(places.values()).count(QueuePlace.PENDING) == 3


def test_a_prompt_id_that_is_queued_twice_runs_if_either_runs() -> None:
    item: list[Any] = [1, "same", {}, {}, []]
    assert read_queue({"queue_running": [item], "queue_pending": [item]}) == {"same": QueuePlace.RUNNING}


def test_a_recorded_queue_has_the_graph_of_each_prompt() -> None:
    body = queue("queue_full_shape")
    for place, name in ((QueuePlace.RUNNING, "queue_running"), (QueuePlace.PENDING, "queue_pending")):
        for _, prompt_id, graph, *_ in body[name]:
            assert graph
            assert read_queued_prompt(body, prompt_id) == QueuedPrompt(place=place, graph=graph)
    assert read_queued_prompt(body, "another") is None


def test_a_prompt_id_that_is_queued_twice_has_the_graph_that_runs() -> None:
    queues: Any = {"queue_running": [[1, "same", {"a": {}}, {}, []]], "queue_pending": [[2, "same", {"b": {}}, {}, []]]}
    found = read_queued_prompt(queues, "same")
    assert found == QueuedPrompt(place=QueuePlace.RUNNING, graph={"a": {}})


@pytest.mark.parametrize("item", [[1, "p"], [1, "p", None], [1, "p", []]])
def test_a_queued_prompt_without_a_graph_is_queued_all_the_same(item: list[Any]) -> None:
    assert read_queued_prompt({"queue_pending": [None, [], item]}, "p") == QueuedPrompt(
        place=QueuePlace.PENDING, graph={}
    )


@pytest.mark.parametrize("body", [{}, {"queue_running": None, "queue_pending": [[], [1], None, "x"]}])
def test_a_malformed_queue_is_empty(body: dict[str, Any]) -> None:
    assert read_queue(body) == {}


@pytest.mark.parametrize(
    ("name", "filename", "elapsed"),
    [
        ("success", "ComfyUI_00044_.png", 11_535),
        ("success_fully_cached", "ComfyUI_00044_.png", 7),
        ("success_no_client_id", "ComfyUI_00046_.png", 3_702),
    ],
)
def test_a_recorded_success_has_its_files_and_its_time(name: str, filename: str, elapsed: int) -> None:
    prompt_id, body = history(name)
    entry = read_history(body, prompt_id)
    assert entry is not None
    assert entry.files == {"9": (SavedFile(filename, "", "output"),)}
    assert entry.elapsed_ms == elapsed
    assert entry.graph == body[prompt_id]["prompt"][2]
    assert entry.node_order == ("4", "5", "6", "7", "3", "8", "9")
    assert (entry.failure, entry.interrupted_node) == (None, None)


def test_a_recorded_failure_has_its_reason() -> None:
    prompt_id, body = history("error")
    entry = read_history(body, prompt_id)
    assert entry is not None
    assert entry.failure is not None
    assert entry.failure.node_type == "CheckpointLoaderSimple"
    assert entry.failure.message == "Error while deserializing header: header too large"


def test_a_recorded_interruption_is_no_failure() -> None:
    prompt_id, body = history("interrupted")
    entry = read_history(body, prompt_id)
    assert entry is not None
    assert (entry.failure, entry.interrupted_node) == (None, "3")


def test_images_sent_over_the_socket_are_not_in_history() -> None:
    prompt_id, body = history("save_image_websocket")
    entry = read_history(body, prompt_id)
    assert entry is not None
    assert entry.files == {}


def test_a_failure_without_its_reason_is_a_failure() -> None:
    entry = read_history({"p": {"status": {"status_str": "error"}}}, "p")
    assert entry is not None
    assert entry.failure is not None


@pytest.mark.parametrize("record", [{}, {"status": None, "outputs": None, "prompt": None}, {"prompt": [1, "p"]}])
def test_an_old_server_without_a_status_has_run_what_is_in_its_history(record: dict[str, Any]) -> None:
    entry = read_history({"p": record}, "p")
    assert entry is not None
    assert (entry.failure, entry.interrupted_node, entry.elapsed_ms, entry.files) == (None, None, None, {})


@pytest.mark.parametrize("body", [{}, {"p": None}, {"other": {}}])
def test_what_history_does_not_have_is_nothing(body: dict[str, Any]) -> None:
    assert read_history(body, "p") is None
