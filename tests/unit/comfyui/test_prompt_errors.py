"""An answer to POST /prompt that refuses a graph becomes an error in ComfyUI's words."""

from typing import Any

import pytest

from civitai_mock.providers.comfyui.protocol.prompt_errors import read_refusal
from tests.support.recordings import Recording, read_recordings
from tests.support.table import table

OK = 200
ANSWERED = {recording.case: recording for recording in read_recordings() if recording.status in {OK, 400}}


@table("recording", ANSWERED.values(), ids=list(ANSWERED))
def test_each_recorded_answer_is_refused_unless_it_took_the_whole_graph(recording: Recording) -> None:
    taken = recording.status == OK and not recording.answer["node_errors"]
    assert (read_refusal(recording.answer, accepted=recording.status == OK) is None) is taken


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            "unknown node class",
            "ComfyUI refused the graph: Cannot execute because node NoSuchNode does not exist: Node ID '#3'",
        ),
        ("no output node", "ComfyUI refused the graph: Prompt has no outputs"),
        ("cyclic graph (3 -> 10 -> 3)", "ComfyUI refused the graph: Prompt outputs failed validation"),
        (
            "sampler name not in list (long list: input_config null)",
            "ComfyUI refused the graph: node 3 (KSampler): Value not in list:"
            " sampler_name: 'Euler a' not in (list of length 42)",
        ),
        (
            "two outputs, one invalid -> 200 with node_errors, valid one runs",
            "ComfyUI refused the graph: node 9 (SaveImage): Return type mismatch between linked nodes:"
            " images, received_type(MODEL) mismatch input_type(IMAGE)",
        ),
    ],
)
def test_the_message_says_what_comfyui_says(case: str, message: str) -> None:
    recording = ANSWERED[case]
    refusal = read_refusal(recording.answer, accepted=recording.status == OK)
    assert refusal is not None
    assert refusal.message == message


def test_the_evidence_names_each_node_and_leaves_tracebacks_out() -> None:
    refusal = read_refusal(ANSWERED["node without inputs"].answer, accepted=False)
    assert refusal is not None
    assert refusal.evidence["error_type"] == "prompt_outputs_failed_validation"
    assert refusal.evidence["node_errors"] == [
        {
            "node_id": "3",
            "node_type": "KSampler",
            "type": "exception_during_inner_validation",
            "message": "Exception when validating inner node",
            "details": "'inputs'",
            "input_name": "samples",
        }
    ]


def test_the_first_of_many_complaints_are_listed_and_the_others_counted() -> None:
    errors: list[Any] = [{"type": "t", "message": f"fault {number}", "details": ""} for number in range(5)]
    refusal = read_refusal({"node_errors": {"1": {"class_type": "X", "errors": errors}}}, accepted=True)
    assert refusal is not None
    assert refusal.message.endswith("node 1 (X): fault 2 (and 2 more)")


@pytest.mark.parametrize("body", [{}, [], None, "no"])
def test_a_refusal_without_words_is_a_refusal(body: Any) -> None:
    refusal = read_refusal(body, accepted=False)
    assert refusal is not None
    assert refusal.message == "ComfyUI refused the graph: it gave no reason"
