"""Progress modes: how they are written, and how long jobs take in them."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from civitai_mock.domain.delays import FixedDelay, LogNormalDelay, RangeDelay, parse_delay
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.progress_modes import (
    HEADER,
    INSTANT,
    ProgressModeName,
    parse_progress_header,
    parse_progress_mode,
    stage_entries,
    stored_progress_mode,
)
from civitai_mock.domain.stages import MovedBy, Stage
from tests.support.dates import START
from tests.support.jobs import LEASE, make_claim, make_job
from tests.support.table import table

SECOND = timedelta(seconds=1)
JOB_ID = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("text", "name", "each", "moved_by"),
    [
        ("instant", ProgressModeName.INSTANT, 1, MovedBy.TIME),
        ("time", ProgressModeName.TIME, 1, MovedBy.TIME),
        ("polls", ProgressModeName.POLLS, 1, MovedBy.REQUESTS),
        (" Polls ;each = 2 ", ProgressModeName.POLLS, 2, MovedBy.REQUESTS),
        ("manual", ProgressModeName.MANUAL, 1, MovedBy.REQUESTS),
    ],
)
def test_a_header_names_a_mode(text: str, name: ProgressModeName, each: int, moved_by: MovedBy) -> None:
    mode = parse_progress_header(text)
    assert (mode.name, mode.each, mode.moved_by) == (name, each, moved_by)


def test_a_header_may_have_durations_of_stages() -> None:
    mode = parse_progress_header("time; SENT_TO_COMFY=2s; QUEUED=PT1S")
    assert mode.stages == {
        Stage.SENT_TO_COMFY: FixedDelay(duration=2 * SECOND),
        Stage.QUEUED: FixedDelay(duration=SECOND),
    }


def test_a_mode_is_the_same_after_it_was_stored() -> None:
    mode = parse_progress_header("polls; each=3")
    assert stored_progress_mode(mode.document) == mode
    assert stored_progress_mode(None) is None


@table(
    ("text", "hint"),
    [
        ("pols", "Did you mean 'polls'?"),
        ("", "Did you mean"),
        ("polls; eech=2", "Did you mean 'each'?"),
        ("time; SENT_TO_CONFY=2s", "Did you mean 'SENT_TO_COMFY'?"),
        ("polls; each", "expected '<mode>; name=value'"),
        ("polls;", "expected '<mode>; name=value'"),
        ("polls; each=0", "each must be a whole number from 1 to 1000"),
        ("polls; each=-1", "each must be a whole number"),
        ("polls; each=1001", "each must be a whole number"),
        ("polls; each=1; each=2", "'each' is there twice"),
        ("polls; each=" + "9" * 5000, "each must be a whole number"),
        ("manual; each=2", "each is for mode polls alone"),
        ("polls; SENT_TO_COMFY=2s", "stages are for mode time alone"),
        ("time; SENT_TO_COMFY=2", "expected a duration"),
    ],
)
def test_a_wrong_header_is_a_fault_of_the_header(text: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_progress_header(text)
    assert list(raised.value.errors) == [HEADER]
    assert hint in " ".join(raised.value.errors[HEADER])


@table(
    ("document", "path", "hint"),
    [
        ([], "$", "expected an object"),
        ({}, "mode", "mode is required"),
        ({"mode": None}, "mode", "mode is required"),
        ({"mode": 5}, "mode", "Unknown mode '5'"),
        ({"mode": "maunal"}, "mode", "Did you mean 'manual'?"),
        ({"mode": "polls", "eachh": 2}, "eachh", "Did you mean 'each'?"),
        ({"mode": "polls", "each": True}, "each", "whole number"),
        ({"mode": "polls", "each": 1.5}, "each", "whole number"),
        ({"mode": "instant", "each": 1}, "each", "mode polls alone"),
        ({"mode": "instant", "stages": {}}, "stages", "mode time alone"),
        ({"mode": "time", "stages": []}, "stages", "must be an object"),
        ({"mode": "time", "stages": {"SENT": "2s"}}, "stages.SENT", "Did you mean 'SENT_TO_COMFY'?"),
        ({"mode": "time", "stages": {"QUEUED": 2}}, "stages.QUEUED", "expected a duration"),
        ({"mode": "time", "stages": {"QUEUED": "soon"}}, "stages.QUEUED", "found 'soon'"),
        ({"mode": "time", "stages": {"QUEUED": {}}}, "stages.QUEUED", "found nothing"),
        ({"mode": "time", "stages": {"QUEUED": {"min": "1s"}}}, "stages.QUEUED", "found min"),
        ({"mode": "time", "stages": {"QUEUED": {"min": "1s", "p99": "2s"}}}, "stages.QUEUED", "found min, p99"),
        ({"mode": "time", "stages": {"QUEUED": {"min": "1s", "mx": "2s"}}}, "stages.QUEUED.mx", "Did you mean 'max'?"),
        ({"mode": "time", "stages": {"QUEUED": {"min": "3s", "max": "2s"}}}, "stages.QUEUED.min", "at most max"),
        ({"mode": "time", "stages": {"QUEUED": {"min": "1s", "max": None}}}, "stages.QUEUED.max", "found None"),
        ({"mode": "time", "stages": {"QUEUED": {"p50": "0s", "p99": "2s"}}}, "stages.QUEUED.p50", "more than 0"),
        ({"mode": "time", "stages": {"QUEUED": "36501d"}}, "stages.QUEUED", "at most 36500 days"),
    ],
)
def test_a_fault_has_its_path_and_the_nearest_name(document: Json, path: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_progress_mode(document)
    assert list(raised.value.errors) == [path]
    assert hint in raised.value.errors[path][0]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_progress_mode({"mode": "time", "eech": 1, "each": 2, "stages": {"QUEUE": "1s", "CLAIMED": "x"}})
    assert set(raised.value.errors) == {"eech", "each", "stages.QUEUE", "stages.CLAIMED"}


def test_a_range_is_not_left_and_all_of_it_is_drawn() -> None:
    delay = parse_delay({"min": "1s", "max": "3s"}, path="delay")
    assert isinstance(delay, RangeDelay)
    drawn = sorted(delay.draw(Random(number)) for number in range(1000))
    assert SECOND <= drawn[0] < 1.1 * SECOND
    assert 2.9 * SECOND < drawn[-1] <= 3 * SECOND


def test_a_log_normal_delay_has_the_percentiles_that_it_was_given() -> None:
    delay = parse_delay({"p50": "2s", "p99": "10s"}, path="delay")
    assert isinstance(delay, LogNormalDelay)
    drawn = sorted(delay.draw(Random(number)) for number in range(10_000))
    assert 1.9 * SECOND < drawn[5000] < 2.1 * SECOND
    assert 9 * SECOND < drawn[9900] < 11.2 * SECOND


def test_a_log_normal_delay_may_have_no_spread() -> None:
    delay = parse_delay({"p50": "2s", "p99": "2s"}, path="delay")
    assert abs(delay.draw(Random(1)) - 2 * SECOND) < timedelta(milliseconds=1)


def test_a_plan_is_drawn_again_as_it_was_and_stages_do_not_depend_on_each_other() -> None:
    stages: JsonObject = {"QUEUED": {"min": "1s", "max": "9s"}, "SENT_TO_COMFY": {"p50": "1s", "p99": "9s"}}
    both = parse_progress_mode({"mode": "time", "stages": stages})
    one = parse_progress_mode({"mode": "time", "stages": {"SENT_TO_COMFY": stages["SENT_TO_COMFY"]}})
    plan, other = both.plan(JOB_ID), one.plan(JOB_ID)
    assert plan is not None
    assert other is not None
    assert plan == both.plan(JOB_ID)
    assert plan.lasts(Stage.SENT_TO_COMFY) == other.lasts(Stage.SENT_TO_COMFY)
    assert plan.lasts(Stage.CLAIMED) == timedelta()
    plans = [both.plan(f"job {number}") for number in range(100)]
    assert len({plan.lasts(Stage.QUEUED) for plan in plans if plan is not None}) == 100


@pytest.mark.parametrize("document", [{"mode": "time"}, {"mode": "polls"}, {"mode": "manual"}])
def test_what_no_mode_says_is_left_to_the_simulation(document: Json) -> None:
    assert parse_progress_mode(document).plan(JOB_ID) is None


def test_nothing_takes_time_in_mode_instant() -> None:
    plan = parse_progress_mode({"mode": "instant"}).plan(JOB_ID)
    assert plan is INSTANT
    assert all(stage in plan.durations and not plan.lasts(stage) for stage in Stage)


def enter(job: Job, stage: Stage, at: int, *, uses_retry: bool = False) -> Job:
    claimed = job if job.claim else replace(job, claim=make_claim(at=START + at * SECOND))
    return claimed.entered(stage, at=START + at * SECOND, until=START + LEASE, context={}, uses_retry=uses_retry)


def seconds_of(*states: Job) -> dict[Stage, float]:
    events = [make_job().last_event, *(job.last_event for job in states)]
    entries = stage_entries(events, retry_attempt=states[-1].retry_attempt if states else 0)
    return {stage: (at - START).total_seconds() for stage, at in entries.items()}


def test_stages_are_entered_when_their_events_say() -> None:
    first = enter(make_job(), Stage.CLAIMED, 3)
    second = enter(first, Stage.PROMPT_PREPARED, 5)
    assert seconds_of() == {Stage.QUEUED: 0}
    assert seconds_of(first, second) == {Stage.QUEUED: 0, Stage.CLAIMED: 3, Stage.PROMPT_PREPARED: 5}


def test_what_a_dead_worker_began_counts_even_if_it_costs_a_retry() -> None:
    claimed = enter(make_job(), Stage.CLAIMED, 3)
    left = claimed.abandoned(at=START + 9 * SECOND, reason="dead")
    again = enter(left, Stage.CLAIMED, 10)
    prepared = enter(again, Stage.PROMPT_PREPARED, 11)
    sent = enter(prepared, Stage.SENT_TO_COMFY, 12, uses_retry=True)
    expected = {Stage.QUEUED: 0, Stage.CLAIMED: 3, Stage.PROMPT_PREPARED: 11, Stage.SENT_TO_COMFY: 12}
    assert seconds_of(claimed, left, again, prepared, sent) == expected


def test_what_was_tried_in_vain_does_not_count() -> None:
    claimed = enter(make_job(), Stage.CLAIMED, 3)
    expired = claimed.claim_expired(at=START + 9 * SECOND, reason="timeout")
    again = enter(expired, Stage.CLAIMED, 11)
    assert seconds_of(claimed, expired) == {Stage.QUEUED: 9}
    assert seconds_of(claimed, expired, again) == {Stage.QUEUED: 9, Stage.CLAIMED: 11}


def test_a_job_waits_from_when_nothing_holds_it_up() -> None:
    blocked = replace(make_job(), is_blocked=True, dependencies=("other",))
    assert seconds_of(blocked.unblocked(at=START + 7 * SECOND)) == {Stage.QUEUED: 7}
