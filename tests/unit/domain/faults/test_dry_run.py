"""A rule is held against requests that were answered before."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.domain.fault_presets import Hook, Target
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.dry_run import hit_ids, needs_work, parse_tried_rule, would_match
from tests.support.table import table

JOBS = "/v1/consumer/jobs"
SUBMIT = FaultSubject(
    hook=Hook.REQUEST,
    method="POST",
    route=JOBS,
    types=["textToImage"],
    prompts=["a red fox"],
    image_given=False,
    targets={Target.SUBMIT},
    version="v1",
)
WHAT_IF = replace(SUBMIT, targets={Target.WHAT_IF})
STATUS = FaultSubject(hook=Hook.REQUEST, method="GET", route=f"{JOBS}/{{jobId}}", targets={Target.STATUS}, version="v1")
BLOB = FaultSubject(hook=Hook.REQUEST, method="GET", route="/blobs/{key}")
PUT_BLOB = replace(BLOB, method="PUT")
WITH_TOKEN = replace(STATUS, headers={"authorization": "***"})
ERROR: dict[str, Any] = {"action": {"status": 500}}
FAIL: dict[str, Any] = {"action": {"fail": {"message": "boom"}}}
LATE_BLOB: dict[str, Any] = {"action": {"expired": True}}
DROP: dict[str, Any] = {"action": {"drop": True}}


@table(
    ("rule", "subject", "status", "matches"),
    [
        (ERROR, STATUS, 200, True),
        (ERROR | {"enabled": False, "until": "2001-01-01T00:00:00Z"}, STATUS, 200, True),
        (ERROR | {"match": {"method": "POST"}}, STATUS, 200, False),
        (ERROR | {"match": {"prompt": {"contains": "fox"}}}, SUBMIT, 202, True),
        (ERROR | {"match": {"prompt": {"contains": "fox"}}}, STATUS, 202, False),
        ({"preset": "status-hang"}, STATUS, 200, True),
        ({"preset": "status-hang"}, SUBMIT, 202, False),
        ({"preset": "validation-500"}, SUBMIT, 400, True),
        ({"preset": "validation-500"}, SUBMIT, 202, False),
        ({"preset": "unauthorized"}, WITH_TOKEN, 200, True),
        ({"preset": "unauthorized"}, STATUS, 200, False),
        (FAIL, SUBMIT, 202, True),
        (FAIL, SUBMIT, 400, False),
        (FAIL, WHAT_IF, 200, False),
        (FAIL, STATUS, 200, False),
        (FAIL | {"match": {"attempt": 1}}, SUBMIT, 202, True),
        (FAIL | {"match": {"attempt": 2}}, SUBMIT, 202, False),
        (FAIL | {"match": {"$type": "imageUpscaler"}}, SUBMIT, 202, False),
        (DROP | {"match": {"$type": "textToImage"}}, SUBMIT, 202, True),
        (LATE_BLOB, BLOB, 200, True),
        (LATE_BLOB, PUT_BLOB, 200, False),
        (LATE_BLOB, SUBMIT, 202, False),
        (LATE_BLOB | {"match": {"method": "GET", "prompt": {"contains": "fox"}}}, SUBMIT, 202, True),
        (LATE_BLOB | {"match": {"method": "GET", "prompt": {"contains": "cat"}}}, SUBMIT, 202, False),
        (LATE_BLOB | {"match": {"prompt": {"contains": "fox"}}}, BLOB, 200, False),
    ],
)
def test_a_rule_matches_what_it_would_have_hit(
    rule: dict[str, Any], subject: FaultSubject, status: int, matches: bool
) -> None:
    assert would_match(parse_tried_rule(rule), subject, status=status) is matches


@pytest.mark.parametrize(
    ("members", "hit"),
    [
        ({}, "abcdef"),
        ({"times": 2}, "ab"),
        ({"after": 1, "every": 2}, "ce"),
        ({"after": 1, "every": 2, "times": 1}, "c"),
        ({"probability": 0}, "abcdef"),
    ],
)
def test_turns_and_times_count_and_dice_do_not(members: dict[str, Any], hit: str) -> None:
    assert "".join(hit_ids(parse_tried_rule(ERROR | members), "abcdef")) == hit


@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        (ERROR, False),
        (ERROR | {"match": {"method": "GET"}}, False),
        (ERROR | {"match": {"imageGiven": True}}, True),
        ({"preset": "prompt-flagged"}, True),
        ({"preset": "status-hang"}, False),
    ],
)
def test_what_needs_the_body_is_known(rule: dict[str, Any], needs: bool) -> None:
    assert needs_work(parse_tried_rule(rule)) is needs
