"""Workflows: their changes, their ids and their tags."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import WorkflowPlace
from civitai_mock.domain.workflow import Callback, WorkflowStatus, WorkflowStep, checked_tags
from civitai_mock.domain.workflow_ids import WorkflowIds, user_number
from civitai_mock.domain.workflow_search import (
    MOST_SEARCHED,
    WorkflowPosition,
    decode_workflow_cursor,
    encode_workflow_cursor,
    metadata_text,
    query_text,
)
from tests.support.dates import START
from tests.support.jobs import SECOND
from tests.support.workflows import make_step, make_workflow

MILLISECOND = timedelta(milliseconds=1)


def test_an_id_says_whose_it_is_and_when() -> None:
    assert WorkflowIds().next_id("civitai-1000001", at=START) == "1000001-20250906181816167"


def test_submissions_of_one_millisecond_have_ids_that_move_on() -> None:
    ids = WorkflowIds()
    given = [ids.next_id("civitai-1", at=START) for _ in range(1500)]
    assert len(set(given)) == 1500
    assert given == sorted(given)
    assert given[-1] == "1-20250906181817666"
    assert ids.next_id("civitai-1", at=START + 2 * SECOND) == "1-20250906181818167"
    assert ids.next_id("civitai-1", at=START) == "1-20250906181818168"


def test_users_do_not_share_their_milliseconds() -> None:
    ids = WorkflowIds()
    given = {ids.next_id(f"civitai-{number}", at=START) for number in range(1, 3000)}
    assert {text.partition("-")[2] for text in given} == {"20250906181816167"}
    assert len(given) == 2999


def test_an_id_that_is_taken_is_left_behind_with_greater_steps() -> None:
    ids = WorkflowIds()
    stamps = [int(ids.next_id("civitai-1", at=START, attempt=attempt).partition("-")[2]) for attempt in range(6)]
    assert [later - earlier for earlier, later in pairwise(stamps)] == [2, 4, 8, 16, 32]


@pytest.mark.parametrize(
    ("consumer", "number"), [("civitai-1", 1), ("civitai-000000000042", 42), ("7", 7), ("somebody", 0), ("", 0)]
)
def test_the_number_of_a_user_is_at_the_end(consumer: str, number: int) -> None:
    assert user_number(consumer) == number


def test_the_ids_of_jobs_follow_from_their_place() -> None:
    place = WorkflowPlace(workflow_id="w", step=1, index=2)
    others = [replace(place, workflow_id="v"), replace(place, step=2, index=1), replace(place, attempt=1)]
    assert place.job_id == WorkflowPlace(workflow_id="w", step=1, index=2).job_id
    assert len({place.job_id, *(other.job_id for other in others)}) == 4


def test_each_change_is_a_new_version() -> None:
    workflow = make_workflow(steps=[make_step("a"), make_step("b", sources=[0])])
    later = START + SECOND
    ready = workflow.step_made_ready(1, {"image": "u"}, jobs=2, at=later)
    places = [WorkflowPlace(workflow_id=workflow.id, step=1, index=index) for index in (0, 1)]
    assert (ready.steps[1].input, ready.steps[1].ready_at) == ({"image": "u"}, later)
    assert ready.steps[1].jobs == tuple(place.job_id for place in places)
    assert not ready.steps[1].waits
    assert workflow.steps[1].waits
    retried = ready.step_retried(replace(places[1], attempt=1))
    assert retried.steps[1].jobs == (*ready.steps[1].jobs, replace(places[1], attempt=1).job_id)
    failed = workflow.step_failed(1, reason="no value", at=later)
    assert not failed.steps[1].waits
    spawned = retried.with_more_steps([make_step("c")])
    described = spawned.described(tags=["x"], metadata={}, allow_mature_content=True)
    assert (described.tags, described.metadata, described.allow_mature_content) == (("x",), {}, True)
    assert described.described() == replace(described, version=described.version + 1)
    assert described.described(tags=[]).tags == ()
    canceled = described.canceled(at=later)
    assert (canceled.canceled_at, canceled.canceled(at=later + SECOND)) == (later, canceled)
    versions = [changed.version for changed in (workflow, ready, retried, spawned, described, canceled)]
    assert versions == [0, 1, 2, 3, 4, 5]
    assert [step.name for step in canceled.steps] == ["a", "b", "c"]


def test_a_step_waits_until_it_is_ready_or_failed() -> None:
    assert WorkflowStep(name="a", type="x", input=None).waits


@pytest.mark.parametrize(
    ("types", "scope", "status", "is_wanted"),
    [
        (["workflow:succeeded"], "workflow", "succeeded", True),
        (["workflow:succeeded"], "workflow", "failed", False),
        (["workflow:succeeded"], "step", "succeeded", False),
        (["step:*", "job:failed"], "step", "unassigned", True),
        (["step:*", "job:failed"], "job", "canceled", False),
        ([], "workflow", "succeeded", False),
    ],
)
def test_a_callback_says_what_it_wants(types: list[str], scope: str, status: str, is_wanted: bool) -> None:
    assert Callback(url="u", types=tuple(types)).wants(scope, status) is is_wanted


def test_four_words_say_that_something_is_over() -> None:
    over = [status for status in WorkflowStatus if status.is_over]
    assert over == ["succeeded", "failed", "expired", "canceled"]
    assert [status for status in over if status.is_failed] == ["failed", "expired", "canceled"]


def test_tags_are_kept_once() -> None:
    assert checked_tags(["a", "b", "a"]) == ("a", "b")
    assert len(checked_tags([f"{number:0200d}" for number in range(10)])) == 10


@pytest.mark.parametrize(
    ("tags", "paths"),
    [
        (["a", ""], ["tags[1]"]),
        (["a" * 201], ["tags[0]"]),
        ([str(number) for number in range(11)], ["tags"]),
        (["", *(str(number) for number in range(10))], ["tags[0]", "tags"]),
    ],
)
def test_odd_tags_are_refused(tags: list[str], paths: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        checked_tags(tags)
    assert list(raised.value.errors) == paths


def test_keys_and_values_of_metadata_are_searched_in_any_case() -> None:
    text = metadata_text({"Title": "Straße", "nested": {"ключ": ["Ж", 1.5, True, None]}, "n": 12})
    assert text == "title\nstrasse\nnested\nключ\nж\n1.5\ntrue\nn\n12"
    assert query_text("STRASSE") in text
    assert query_text("КЛЮЧ") in text
    assert metadata_text({}) == ""


def test_the_search_of_metadata_has_a_bound() -> None:
    text = metadata_text({"a": "x" * MOST_SEARCHED, "b": "never"})
    assert len(text) == MOST_SEARCHED
    assert "never" not in text
    many = metadata_text({f"key-{number}": number for number in range(100_000)})
    assert len(many) == MOST_SEARCHED


def test_a_cursor_leads_to_its_place_and_is_its_owners_alone() -> None:
    position = WorkflowPosition(START, "1-20250906181816167")
    cursor = encode_workflow_cursor(position, owner="civitai-1")
    assert decode_workflow_cursor(cursor, owner="civitai-1") == position
    for wrong, owner in ((cursor, "civitai-2"), (cursor[:-2], "civitai-1"), ("x", "civitai-1")):
        with pytest.raises(InvalidRequestError):
            decode_workflow_cursor(wrong, owner=owner)
