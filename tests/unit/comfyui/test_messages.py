"""Socket frames become messages: recorded ones, and ones that no server should send."""

import json
from collections import Counter

import pytest

from civitai_mock.providers.comfyui.protocol.messages import (
    Errored,
    Executed,
    Executing,
    Message,
    MessageStream,
    NodeActivity,
    NodeStep,
    PromptActivity,
    SavedFile,
    SocketImage,
    Started,
    Stopped,
    Succeeded,
    read_message,
)
from tests.support.transcripts import Frame, frames_of

COLD = "3d10825b-fccc-43ec-bda5-7dd51c69b4ee"


def read_all(name: str, *sockets: str) -> list[Message]:
    stream = MessageStream()
    return [message for frame in frames_of(name, *sockets) if (message := stream.read(frame)) is not None]


def test_a_recorded_run_reads_as_its_story() -> None:
    messages = read_all("01_normal_cold", "A")
    assert {message.prompt_id for message in messages} == {COLD}
    assert messages[0] == Started(COLD)
    assert messages[-2:] == [Succeeded(COLD), Executing(COLD, None)]
    assert [message.node_id for message in messages if isinstance(message, Executing)][:-1] == list("4576389")
    assert [message.value for message in messages if isinstance(message, NodeStep)] == [1, 2, 3]
    assert Executed(COLD, "9", (SavedFile("ComfyUI_00044_.png", "", "output"),)) in messages


def test_a_socket_with_another_client_id_hears_of_no_prompt() -> None:
    assert read_all("01_normal_cold", "OBS") == []


def test_a_prompt_without_client_id_is_reported_to_everybody_in_part() -> None:
    kinds = Counter(type(message) for message in read_all("07_no_client_id", "OBS"))
    assert set(kinds) == {NodeActivity, NodeStep, PromptActivity}


def test_a_preview_belongs_to_the_node_that_runs() -> None:
    images = [message for message in read_all("01_normal_cold", "A") if isinstance(message, SocketImage)]
    assert images == [SocketImage(COLD, "3", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JF")] * 3


def test_a_preview_of_somebody_elses_prompt_is_nobodys() -> None:
    assert not [message for message in read_all("07_no_client_id", "A") if isinstance(message, SocketImage)]


def test_a_preview_with_metadata_says_whose_it_is() -> None:
    images = [m for m in read_all("09_feature_flags_preview_metadata", "F") if isinstance(m, SocketImage)]
    assert images == [SocketImage("f2159363-dc43-4322-9921-7a01da00af9e", "3", "image/jpeg", b"image")] * 2


def test_an_image_sent_over_the_socket_is_a_png_of_its_node() -> None:
    images = [message for message in read_all("14_save_image_websocket", "W") if isinstance(message, SocketImage)]
    assert [(image.node_id, image.content_type) for image in images] == [("9", "image/png")] * 2


def test_a_failure_is_reported_in_comfyuis_own_words() -> None:
    (error,) = [message for message in read_all("05_execution_error", "A") if isinstance(message, Errored)]
    assert error.failure.node_id == "4"
    assert error.failure.node_type == "CheckpointLoaderSimple"
    assert error.failure.message == "Error while deserializing header: header too large"
    assert error.failure.exception_type == "safetensors._safetensors_rust.SafetensorError"
    assert len(error.failure.traceback) > 1


def test_an_interruption_names_its_node() -> None:
    assert Stopped("fef111ea-7922-4021-a791-90e8e3f40428", "3") in read_all("06_interrupted", "A")


def test_what_runs_on_connect_is_reported_without_its_prompt_and_so_reads_as_nothing() -> None:
    assert read_message('{"type": "executing", "data": {"node": "3"}}') is None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        pytest.param("[" * 100_000, id="too deep"),
        '{"type": "progress"}',
        '{"type": 3, "data": {"prompt_id": "p"}}',
        '{"data": {"prompt_id": "p"}}',
        '{"type": "progress", "data": []}',
        '{"type": "progress", "data": {"prompt_id": 7, "value": 1, "max": 2}}',
        '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}}',
        b"",
        b"\x00\x00\x00\x01",
        b"\x00\x00\x00\x01\x00\x00\x00\x01no node is running",
        b"\x00\x00\x00\x03\x00\x00\x00\x01text of a node",
        b"\x00\x00\x00\x04\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x04\xff\xff\xff\xff{}",
        b"\x00\x00\x00\x63\x00\x00\x00\x01an event of the future",
    ],
)
def test_junk_reads_as_nothing(frame: Frame) -> None:
    assert MessageStream().read(frame) is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("execution_cached", {"nodes": ["4"]}),
        ("message_of_the_future", {}),
        ("progress", {"value": "one", "max": 2}),
        ("progress", {"value": True, "max": 2}),
        ("progress_state", {"nodes": {}}),
        ("progress_state", {"nodes": {"3": {"state": "finished", "value": 1, "max": 1}}}),
    ],
)
def test_anything_else_about_a_prompt_shows_that_it_is_worked_on(kind: str, data: dict[str, object]) -> None:
    assert read_message(json.dumps({"type": kind, "data": {"prompt_id": "p", **data}})) == PromptActivity("p")


@pytest.mark.parametrize(
    ("output", "files"),
    [
        ({"images": [{"filename": "a.png"}]}, (SavedFile("a.png", "", "output"),)),
        ({"gifs": [{"filename": "a.mp4", "subfolder": "x", "type": "temp"}]}, (SavedFile("a.mp4", "x", "temp"),)),
        ({"text": ["a", "b"], "animated": [True]}, ()),
        ({"images": [{"filename": ""}, {}, None, 3]}, ()),
        (None, ()),
    ],
)
def test_an_outputs_files_are_those_with_a_name(output: object, files: tuple[SavedFile, ...]) -> None:
    told = {"type": "executed", "data": {"prompt_id": "p", "node": "9", "output": output}}
    assert read_message(json.dumps(told)) == Executed("p", "9", files)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_step_that_is_no_number_is_only_a_sign_of_life(number: str) -> None:
    """ComfyUI writes them, and nothing can be counted with them."""
    frame = '{"type": "progress", "data": {"prompt_id": "p", "node": "3", "value": 1.5, "max": 20}}'
    frame = frame.replace("1.5", number)
    assert read_message(frame) == PromptActivity("p")
