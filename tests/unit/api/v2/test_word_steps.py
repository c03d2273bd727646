"""Step types of v2 that answer in words: what they make of their inputs."""

from collections.abc import Mapping
from typing import Any

import pytest

from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps import STEP_TYPES
from civitai_mock.domain.errors import InvalidRequestError, JobError
from civitai_mock.domain.resource import Resource
from civitai_mock.drawing.media.operations import derive
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.work import DerivedWork, JobWork, ResultWork
from tests.support.dates import START
from tests.support.generation import job_of, make_found, resolve
from tests.support.v2_description import check_output

MODEL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
SCHEMA = {"type": "object", "required": ["colour"], "properties": {"colour": {"enum": ["red"]}}}
QUESTION = {"model": "gpt", "messages": [{"role": "user", "content": "Which colour?"}]}


def answer_of(step_type: str, sent: Any, found: Mapping[str, Resource] | None = None) -> Any:
    """Return what the only job of a step answers, which is also as described."""
    made = STEP_TYPES[step_type].job_maker(echo_input(step_type, sent))(1)
    (draft,) = made.drafts
    work = job_work(job_of(resolve(draft, found)), {})
    result = work.result if isinstance(work, ResultWork) else judged(work)
    check_output(step_type, result)
    return result


def judged(work: JobWork) -> Any:
    assert isinstance(work, DerivedWork)
    return derive(work.operation, []).result


def test_a_chat_is_as_old_as_its_job() -> None:
    assert answer_of("chatCompletion", QUESTION)["created"] == int(START.timestamp())


def test_a_chat_answers_in_the_shape_that_is_asked_for() -> None:
    form = {"type": "json_schema", "jsonSchema": {"name": "answer", "schema": SCHEMA}}
    answer = answer_of("chatCompletion", {**QUESTION, "responseFormat": form})
    assert answer["choices"][0]["message"]["content"] == '{"colour": "red"}'


def test_a_chat_calls_the_tool_that_it_has_to() -> None:
    tool = {"type": "function", "function": {"name": "paint", "parameters": SCHEMA}}
    answer = answer_of("chatCompletion", {**QUESTION, "tools": [tool], "tool_choice": "required"})
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "paint", "arguments": '{"colour": "red"}'}


def test_a_chat_that_cannot_be_answered_ends_its_job() -> None:
    with pytest.raises(JobError, match="names no tool"):
        answer_of("chatCompletion", {**QUESTION, "tool_choice": {"function": {"name": "paint"}}})


def test_a_prompt_is_enhanced_in_the_manner_of_its_ecosystem() -> None:
    answer = answer_of("promptEnhancement", {"ecosystem": "sdxl", "prompt": "a fox", "negativePrompt": "snow"})
    assert answer["enhancedPrompt"].startswith("a fox, masterpiece")
    assert answer["enhancedNegativePrompt"].startswith("snow, ")


@pytest.mark.parametrize(
    ("step_type", "members"),
    [
        ("promptEnhancement", {"prompt": "nude"}),
        ("wdTagging", {"prompt": "nude"}),
        ("xGuardModeration", {"mode": "text", "text": "nude"}),
    ],
)
def test_texts_that_are_judged_ask_for_no_mature_content(step_type: str, members: Any) -> None:
    assert STEP_TYPES[step_type].prompt_texts(members) == ()


def test_a_guard_looks_for_the_labels_that_are_named_or_overridden() -> None:
    override = {"label": "violence", "action": "flag", "threshold": 0.9, "policy": "none"}
    sent = {"mode": "prompt", "positivePrompt": "a fox", "labels": ["hate"], "labelOverrides": [override]}
    results = answer_of("xGuardModeration", sent)["results"]
    assert [(one["label"], one["action"], one["threshold"], one["field"]) for one in results] == [
        ("hate", "block", 0.5, "positivePrompt"),
        ("violence", "flag", 0.9, "positivePrompt"),
    ]


def test_a_policy_may_be_of_ones_own() -> None:
    sent = {"mode": "text", "text": "a fox", "policies": ["hate"], "policyOverrides": [{"name": "mine"}]}
    answer = answer_of("shieldstralModeration", sent)
    assert [(one["policy"], one["triggered"]) for one in answer["results"]] == [("hate", False), ("mine", False)]


def test_the_hashes_of_a_model_are_those_of_its_resource() -> None:
    found = make_found(MODEL)
    stated = Resource(air=found.air, fields={"hashes": {"SHA256": "A" * 64, "AutoV3": "B" * 12}})
    hashes = answer_of("modelHash", {"model": MODEL}, {MODEL: stated})
    assert (hashes["sha256"], hashes["autoV2"], hashes["autoV3"]) == ("A" * 64, "A" * 10, "B" * 12)


@pytest.mark.parametrize("step_type", ["modelClamScan", "modelPickleScan", "modelHash", "modelParseMetadata"])
def test_a_model_that_is_looked_at_has_to_be_there(step_type: str) -> None:
    (draft,) = STEP_TYPES[step_type].job_maker({"model": MODEL})(1).drafts
    assert draft.references() == {"model": MODEL}
    assert [resource.air.text for resource in resolve(draft).resources] == [MODEL]


def test_a_rating_needs_a_file() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        STEP_TYPES["mediaRating"].job_maker(echo_input("mediaRating", {}))(1)
    assert list(caught.value.errors) == ["mediaUrl"]


@pytest.mark.parametrize(
    ("step_type", "sent", "path"),
    [
        ("comfyNodepackSnapshot", {"nodepacks": ["a"] * 101}, "nodepacks"),
        ("blobArchive", {"entries": [{"blobId": "a"}] * 1001}, "entries"),
    ],
)
def test_one_job_is_not_given_endless_work(step_type: str, sent: Any, path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        STEP_TYPES[step_type].job_maker(echo_input(step_type, sent))(1)
    assert "at most" in caught.value.errors[path][0]
