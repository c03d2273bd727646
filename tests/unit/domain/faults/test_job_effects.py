"""What faults do to jobs: in which attempt, and what is seen of them."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.domain.faults.job_effects import (
    asked_for_job,
    attempt_of,
    canceled_cost,
    carried_over,
    decided_for,
    effects_on,
    held_in,
    is_stuck,
    is_unsupported,
    shows_in_queue,
    waits_for_ever,
    with_decision,
    with_fault_over,
)
from civitai_mock.domain.faults.rules import parse_rule
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.stages import Stage
from tests.support.dates import START
from tests.support.jobs import make_job
from tests.support.table import table


def hit(attempt: int = 1, **does: Any) -> Job:
    return replace(make_job(), faults=(JobFault(attempt=attempt, rule="a", does=does),))


def of_workflow(job: Job, attempt: int = 0) -> Job:
    return replace(job, workflow=WorkflowPlace(workflow_id="w", step=0, index=0, attempt=attempt))


@pytest.mark.parametrize(
    ("retries", "made_before", "attempt"), [(0, None, 1), (2, None, 3), (0, 0, 1), (0, 2, 3), (1, 2, 4)]
)
def test_each_retry_is_another_attempt(retries: int, made_before: int | None, attempt: int) -> None:
    job = replace(make_job(), retry_attempt=retries)
    assert attempt_of(job if made_before is None else of_workflow(job, made_before)) == attempt


def test_what_was_decided_holds_for_its_attempt_alone() -> None:
    job = hit(action={"noResult": True})
    assert len(effects_on(job)) == 1
    again = replace(job, retry_attempt=1)
    assert (list(effects_on(again)), decided_for(again)) == ([], None)
    decided = with_decision(again, JobFault(attempt=2, turns={"k": "every"}))
    assert [fault.attempt for fault in decided.faults] == [1, 2]
    assert list(effects_on(decided)) == []
    assert with_decision(decided, JobFault(attempt=2, rule="b")).faults[1:] == (JobFault(attempt=2, rule="b"),)


def test_what_begins_anew_after_a_death_goes_wrong_as_before() -> None:
    job = hit(preset="stuck-running")
    again = carried_over(job, replace(job, retry_attempt=1))
    assert [(fault.attempt, fault.rule) for fault in again.faults] == [(1, "a"), (2, "a")]
    assert held_in(again) is Stage.CLAIMED
    assert carried_over(make_job(), make_job()) == make_job()


def test_what_is_over_is_told_and_not_done_again() -> None:
    over = with_fault_over(hit(action={"reject": True}))
    assert [fault.rule for fault in over.faults] == ["a"]
    assert list(effects_on(over)) == []
    assert with_fault_over(make_job()) == make_job()


@table(
    ("does", "v1", "v2", "stuck"),
    [
        ({"preset": "stuck-queued"}, Stage.QUEUED, Stage.QUEUED, True),
        ({"preset": "stuck-running"}, Stage.CLAIMED, Stage.SENT_TO_COMFY, True),
        ({"action": {"stick": True}}, Stage.CLAIMED, Stage.SENT_TO_COMFY, True),
        ({"action": {"stick": "PROMPT_PREPARED"}}, Stage.PROMPT_PREPARED, Stage.PROMPT_PREPARED, True),
        ({"action": {"stick": "COMFY_RESULT"}}, Stage.SENT_TO_COMFY, Stage.SENT_TO_COMFY, True),
        ({"preset": "queue-flood"}, Stage.QUEUED, Stage.QUEUED, False),
        ({"preset": "provider-outage"}, Stage.QUEUED, Stage.QUEUED, False),
        ({"preset": "failed-silent"}, None, None, False),
    ],
)
def test_where_a_job_is_held(does: Any, v1: Stage | None, v2: Stage | None, stuck: bool) -> None:
    job = hit(**does)
    assert (held_in(job), held_in(of_workflow(job)), is_stuck(job)) == (v1, v2, stuck)


@pytest.mark.parametrize(
    ("preset", "is_early", "without_support", "for_ever"),
    [
        ("stuck-queued", True, True, True),
        ("provider-outage", True, True, False),
        ("queue-flood", True, False, False),
        ("unknown-provider", True, False, False),
        ("stuck-running", False, False, False),
        ("node-crash", False, False, False),
    ],
)
def test_what_is_seen_in_the_queue(preset: str, is_early: bool, without_support: bool, for_ever: bool) -> None:
    job = hit(preset=preset)
    assert shows_in_queue(parse_rule({"preset": preset}, rule_id="a", set_at=START).action) is is_early
    assert (is_unsupported(job), waits_for_ever(job)) == (without_support, for_ever)


@pytest.mark.parametrize("does", [{"preset": "of-another-version"}, {"action": {"fly": True}}, {}])
def test_what_no_program_of_ours_has_decided_does_nothing(does: Any) -> None:
    assert list(effects_on(hit(**does))) == []
    assert asked_for_job(replace(make_job(), asked_fault=does)) is None


def test_what_a_request_asked_for_is_about_jobs_or_not() -> None:
    rules = {
        preset: asked_for_job(replace(make_job(), asked_fault={"preset": preset}))
        for preset in ("node-crash", "blob-late")
    }
    assert [preset for preset, rule in rules.items() if rule is not None] == ["node-crash"]
    assert asked_for_job(make_job()) is None


def test_a_canceled_job_costs_what_was_delivered() -> None:
    job = hit(preset="cancel-repriced")
    assert canceled_cost(job) == 0
    first, second = job.slots
    assert canceled_cost(replace(job, slots=(replace(first, available=True), second))) == job.cost / 2
    assert canceled_cost(replace(job, slots=())) == 0
    assert canceled_cost(make_job()) is None
