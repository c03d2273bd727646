"""A prompt is tracked to its end through recorded transcripts, and whatever may happen to their messages."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.providers.comfyui.protocol.messages import (
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
    Succeeded,
)
from civitai_mock.providers.comfyui.protocol.records import HistoryEntry, QueuePlace, read_history
from civitai_mock.providers.comfyui.protocol.tracker import (
    LossLimits,
    PromptDone,
    PromptFailed,
    PromptLost,
    PromptRunning,
    PromptStopped,
    PromptTracker,
    PromptWaiting,
    SavedResult,
)
from tests.support.dates import START
from tests.support.table import table
from tests.support.transcripts import frames_of, history

SECOND = timedelta(seconds=1)
FILE = SavedFile("a.png", "", "output")
DONE = HistoryEntry(files={"9": (FILE,)}, node_order=("9",), elapsed_ms=5)


def make_tracker(prompt_id: str = "p", *, streaming: Sequence[str] = ()) -> PromptTracker:
    limits = LossLimits(absent=SECOND, unreachable=30 * SECOND)
    return PromptTracker(prompt_id, now=START, streaming=frozenset(streaming), limits=limits)


def messages_of(name: str, *sockets: str) -> list[Message]:
    stream = MessageStream()
    return [message for frame in frames_of(name, *sockets) if (message := stream.read(frame)) is not None]


def entry_of(name: str) -> tuple[str, HistoryEntry]:
    prompt_id, body = history(name)
    entry = read_history(body, prompt_id)
    assert entry is not None
    return prompt_id, entry


def heard(tracker: PromptTracker, messages: Sequence[Message]) -> PromptTracker:
    for message in messages:
        tracker.on_message(message, START)
    return tracker


RECORDED = [
    ("01_normal_cold", "A", "3d10825b-fccc-43ec-bda5-7dd51c69b4ee", PromptRunning),
    ("02_fully_cached", "A", "6f5ced3e-6820-4bcc-90d2-57d91a8b7d1b", PromptRunning),
    ("03_partially_cached_new_seed", "A", "c7b94e53-cb73-4297-91ba-eddc0329376c", PromptRunning),
    ("05_execution_error", "A", "0a179bb5-b142-43d8-a6a9-7d0494f658f3", PromptFailed),
    ("06_interrupted", "A", "fef111ea-7922-4021-a791-90e8e3f40428", PromptStopped),
    ("08_no_client_id_interrupted_targeted", "OBS", "659f295e-07ec-414b-9200-610fe5ffad2e", PromptStopped),
    ("09_feature_flags_preview_metadata", "F", "f2159363-dc43-4322-9921-7a01da00af9e", PromptRunning),
    ("10_two_prompts_two_clients", "A", "91dc6708-9c3d-445d-887f-d66c43ba959c", PromptRunning),
    ("10_two_prompts_two_clients", "A", "9e379363-eddc-4038-b24d-0784fc58dba3", PromptWaiting),
    ("11_reconnect_mid_run", "R2", "65f92272-ac3b-48f4-8d9a-db834ace60d9", PromptRunning),
    ("12_same_client_id_two_sockets", "D2", "fd54c8c9-9c05-4716-a161-471c573f4b47", PromptRunning),
    ("12_same_client_id_two_sockets", "D2", "7525ed49-4d5c-4ac8-904f-5a7ab1dbfe8a", PromptWaiting),
    ("13_queue_delete_and_clear", "Q", "6e9e5450-2e6e-4bff-9ce0-c6aac7b4b710", PromptRunning),
    ("14_save_image_websocket", "W", "d2ff4f8b-7672-440b-8e22-c1cf7dcbb22c", PromptRunning),
    ("15_interrupt_while_idle", "I", "43d95e3d-320f-49d4-97e4-b6d23b8c743e", PromptRunning),
]


@table(("name", "socket", "prompt_id", "state"), RECORDED)
def test_a_recorded_transcript_alone_ends_in_failure_but_never_in_success(
    name: str, socket: str, prompt_id: str, state: type
) -> None:
    tracker = heard(make_tracker(prompt_id), messages_of(name, socket))
    assert type(tracker.state) is state


@table(
    ("name", "socket", "prompt_id"),
    [row[:3] for row in RECORDED if row[3] is PromptRunning and "reconnect" not in row[0]],
)
def test_after_the_last_recorded_message_history_is_to_be_asked(name: str, socket: str, prompt_id: str) -> None:
    messages = [message for message in messages_of(name, socket) if message.prompt_id == prompt_id]
    tracker = heard(make_tracker(prompt_id), messages[:-3])
    assert not tracker.is_ending
    assert heard(tracker, messages[-3:]).is_ending


@pytest.mark.parametrize(
    ("name", "socket", "record"),
    [
        ("01_normal_cold", "A", "success"),
        ("02_fully_cached", "A", "success_fully_cached"),
        ("07_no_client_id", "OBS", "success_no_client_id"),
    ],
)
def test_history_ends_a_recorded_run(name: str, socket: str, record: str) -> None:
    prompt_id, entry = entry_of(record)
    tracker = heard(make_tracker(prompt_id), messages_of(name, socket))
    tracker.on_left_queue(entry, START)
    assert tracker.state == PromptDone(results=(SavedResult("9", entry.files["9"][0]),), elapsed_ms=entry.elapsed_ms)


@given(st.data())
def test_whatever_becomes_of_the_messages_history_decides(data: st.DataObject) -> None:
    """Messages are lost, doubled and reordered in any mixture."""
    prompt_id, entry = entry_of("success")
    messages = messages_of("01_normal_cold", "A")
    mangled = data.draw(st.lists(st.sampled_from(messages), max_size=2 * len(messages)))
    tracker = heard(make_tracker(prompt_id), mangled)
    assert tracker.end is None
    tracker.on_left_queue(entry, START)
    assert tracker.state == PromptDone(results=(SavedResult("9", entry.files["9"][0]),), elapsed_ms=11_535)


@pytest.mark.parametrize(("record", "state"), [("error", PromptFailed), ("interrupted", PromptStopped)])
def test_history_alone_reports_a_bad_end(record: str, state: type) -> None:
    prompt_id, entry = entry_of(record)
    tracker = make_tracker(prompt_id)
    tracker.on_left_queue(entry, START)
    assert type(tracker.state) is state


def test_a_failure_is_the_same_over_the_socket_and_in_history() -> None:
    prompt_id, entry = entry_of("error")
    told = heard(make_tracker(prompt_id), messages_of("05_execution_error", "A"))
    read = make_tracker(prompt_id)
    read.on_left_queue(entry, START)
    assert told.state == read.state


def test_progress_is_that_of_the_sampler_and_not_of_nodes_that_do_not_count() -> None:
    tracker = heard(make_tracker(), [NodeStep("p", "3", 2, 20), NodeActivity("p", "8", 0, 1)])
    assert tracker.progress == NodeStep("p", "3", 2, 20)


def test_messages_about_other_prompts_change_nothing() -> None:
    tracker = heard(make_tracker("another"), messages_of("01_normal_cold", "A"))
    assert (tracker.state, tracker.progress, tracker.preview) == (PromptWaiting(), None, None)


def test_nothing_changes_after_the_end() -> None:
    tracker = make_tracker()
    tracker.on_left_queue(DONE, START)
    ended = tracker.state
    tracker.on_message(PromptActivity("p"), START)
    tracker.on_queued(QueuePlace.RUNNING, START)
    tracker.on_left_queue(None, START + 9 * SECOND)
    tracker.on_left_queue(None, START + 99 * SECOND)
    tracker.on_unreachable("gone", START)
    tracker.on_unreachable("gone", START + 999 * SECOND)
    tracker.mark_lost("given up")
    assert tracker.state is ended


def test_a_prompt_that_is_seen_running_runs() -> None:
    tracker = make_tracker()
    seen = []
    for place in (QueuePlace.PENDING, QueuePlace.RUNNING):
        tracker.on_queued(place, START + SECOND)
        seen.append(type(tracker.state))
    assert seen == [PromptWaiting, PromptRunning]
    assert tracker.last_activity_at == START + SECOND


def test_being_seen_running_again_is_no_sign_of_life() -> None:
    tracker = make_tracker()
    tracker.on_queued(QueuePlace.RUNNING, START + SECOND)
    tracker.on_queued(QueuePlace.RUNNING, START + 2 * SECOND)
    assert tracker.last_activity_at == START + SECOND


@pytest.mark.parametrize(("seconds", "is_lost"), [(0, False), (0.9, False), (1, True), (60, True)])
def test_a_prompt_is_lost_when_it_stays_absent(seconds: float, is_lost: bool) -> None:
    tracker = make_tracker()
    tracker.on_left_queue(None, START)
    tracker.on_left_queue(None, START + timedelta(seconds=seconds))
    assert isinstance(tracker.state, PromptLost) is is_lost


def test_a_prompt_that_turns_up_again_was_not_lost() -> None:
    tracker = make_tracker()
    tracker.on_left_queue(None, START)
    tracker.on_queued(QueuePlace.PENDING, START + SECOND / 2)
    tracker.on_left_queue(None, START + 2 * SECOND)
    assert tracker.end is None


def test_a_run_that_was_heard_as_a_whole_is_done_although_its_history_was_wiped() -> None:
    tracker = heard(make_tracker(), [Started("p"), Executed("p", "9", (FILE,)), Succeeded("p")])
    tracker.on_left_queue(None, START)
    tracker.on_left_queue(None, START + SECOND)
    assert tracker.state == PromptDone(results=(SavedResult("9", FILE),), elapsed_ms=None)


def test_a_run_that_was_heard_in_part_is_lost_when_its_history_was_wiped() -> None:
    tracker = heard(make_tracker(), [Executed("p", "9", (FILE,)), Succeeded("p")])
    tracker.on_left_queue(None, START)
    tracker.on_left_queue(None, START + SECOND)
    assert isinstance(tracker.state, PromptLost)


@pytest.mark.parametrize(("seconds", "is_lost"), [(0, False), (29, False), (30, True)])
def test_a_prompt_is_lost_when_its_server_stays_out_of_reach(seconds: float, is_lost: bool) -> None:
    tracker = make_tracker()
    tracker.on_unreachable("refused", START)
    tracker.on_unreachable("refused", START + timedelta(seconds=seconds))
    assert isinstance(tracker.state, PromptLost) is is_lost


@pytest.mark.parametrize(
    ("places", "messages", "is_unstarted"),
    [
        ((), (), False),
        ((QueuePlace.PENDING,), (), True),
        ((QueuePlace.PENDING,), (Started("p"),), False),
        ((QueuePlace.PENDING, QueuePlace.RUNNING), (), False),
        ((QueuePlace.RUNNING,), (), False),
    ],
)
def test_a_prompt_has_not_started_if_it_was_seen_to_wait_and_nothing_else(
    places: Sequence[QueuePlace], messages: Sequence[Message], is_unstarted: bool
) -> None:
    tracker = make_tracker()
    for place in places:
        tracker.on_queued(place, START)
    heard(tracker, messages)
    tracker.mark_lost("gone")
    assert tracker.end == PromptLost("gone", is_unstarted=is_unstarted)


@pytest.mark.parametrize(("messages", "is_unstarted"), [((), True), ((Started("p"),), False)])
def test_a_prompt_that_is_listened_for_has_not_started_unless_that_was_heard(
    messages: Sequence[Message], is_unstarted: bool
) -> None:
    tracker = make_tracker()
    tracker.has_socket = True
    heard(tracker, messages)
    tracker.mark_lost("gone")
    assert tracker.end == PromptLost("gone", is_unstarted=is_unstarted)


def test_a_server_that_answers_now_and_then_is_within_reach() -> None:
    tracker = make_tracker()
    tracker.on_unreachable("refused", START)
    tracker.on_queued(QueuePlace.PENDING, START + SECOND)
    tracker.on_unreachable("refused", START + 40 * SECOND)
    assert tracker.end is None


def test_images_that_came_over_the_socket_are_results_in_their_order() -> None:
    images = [SocketImage("p", "9", "image/png", content) for content in (b"one", b"two")]
    story: list[Message] = [
        NodeActivity("p", "9", 0, 1),
        NodeStep("p", "9", 0, 2),
        images[0],
        images[0],
        NodeStep("p", "9", 1, 2),
        images[1],
    ]
    tracker = heard(make_tracker(streaming=["9"]), story)
    assert tracker.preview is None
    tracker.on_left_queue(HistoryEntry(files={}, node_order=()), START)
    assert tracker.state == PromptDone(results=tuple(images), elapsed_ms=None)


def test_the_recorded_image_over_the_socket_is_a_result() -> None:
    prompt_id, entry = entry_of("save_image_websocket")
    tracker = heard(make_tracker(prompt_id, streaming=["9"]), messages_of("14_save_image_websocket", "W"))
    tracker.on_left_queue(entry, START)
    assert isinstance(tracker.state, PromptDone)
    assert [type(result) for result in tracker.state.results] == [SocketImage]


def test_images_that_are_still_on_their_way_over_the_socket_are_waited_for() -> None:
    tracker = heard(make_tracker(streaming=["9"]), [NodeStep("p", "9", 0, 1)])
    tracker.on_left_queue(HistoryEntry(files={}, node_order=()), START)
    assert tracker.end is None
    image = SocketImage("p", "9", "image/png", b"late")
    tracker.on_message(image, START)
    tracker.on_left_queue(HistoryEntry(files={}, node_order=()), START + SECOND)
    assert tracker.state == PromptDone(results=(image,), elapsed_ms=None)


def test_a_run_whose_images_went_with_the_socket_is_spoiled() -> None:
    tracker = make_tracker(streaming=["9"])
    tracker.on_left_queue(HistoryEntry(files={}, node_order=()), START)
    tracker.on_left_queue(HistoryEntry(files={}, node_order=()), START + SECOND)
    assert isinstance(tracker.state, PromptLost)
    assert tracker.state.outputs_lost


def test_letting_go_of_a_prompt_does_not_say_how_it_ended() -> None:
    tracker = heard(make_tracker(), [Executing("p", None)])
    assert tracker.is_ending
    assert tracker.end is None


def test_a_prompt_waits_until_it_is_first_known_to_run() -> None:
    tracker = make_tracker()
    tracker.on_queued(QueuePlace.PENDING, START)
    assert tracker.waited_until(START + 2 * SECOND) == START + 2 * SECOND
    tracker.on_queued(QueuePlace.RUNNING, START + 3 * SECOND)
    tracker.on_message(Started("p"), START + 4 * SECOND)
    assert tracker.waited_until(START + 5 * SECOND) == START + 3 * SECOND
    tracker.mark_stopped()
    assert tracker.waited_until(START + 6 * SECOND) == START + 3 * SECOND
