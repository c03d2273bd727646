"""Sockets of the stand-in: slow clients, and faults of messages."""

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.socket_hub import MAX_WAITING_BYTES, MAX_WAITING_FRAMES, SocketConnection, SocketHub


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


async def test_what_a_client_has_read_no_longer_counts() -> None:
    connection = SocketConnection("c")
    for _ in range(3):
        connection.send("x" * (MAX_WAITING_BYTES // 2))
        await connection.next_frame()
    assert not connection.dropped.is_set()


def test_shuffling_swaps_neighbours_and_holds_no_ending_back() -> None:
    faults = FaultControl()
    faults.set(shuffled=True)
    hub = SocketHub(faults)
    connection = hub.connect("c")
    first, second, ending = messages.executing("p", "1"), messages.executing("p", "2"), messages.executing("p", None)
    for message in (first, second, ending, first):
        hub.send_about_prompt(message, "c")
    assert list(connection.waiting) == [second.text, first.text, ending.text]


def test_previews_of_an_unannounced_prompt_are_not_sent() -> None:
    faults = FaultControl()
    faults.set(unannounced=True)
    hub = SocketHub(faults)
    connection = hub.connect("c")
    hub.send_preview(messages.PreviewFrame(format=messages.PNG, content=b"", metadata={}), None)
    assert list(connection.waiting) == []
