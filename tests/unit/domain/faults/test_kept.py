"""Faults as they are kept with what they hit."""

from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.domain.delays import FixedDelay
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import BlobState, Effect, Late
from civitai_mock.domain.faults.kept import asked_rule_at, kept_effects, kept_fault, kept_rule, told_fault
from civitai_mock.domain.faults.rules import parse_rule
from civitai_mock.domain.json_types import JsonObject
from tests.support.dates import START

RULES: list[tuple[dict[str, Any], dict[str, Any], Effect]] = [
    ({"action": {"lost": True}}, {"action": {"lost": True}}, BlobState.LOST),
    (
        {"preset": "blob-late", "params": {"seconds": 7}},
        {"preset": "blob-late", "params": {"seconds": 7}},
        Late(FixedDelay(duration=timedelta(seconds=7))),
    ),
    ({"preset": "blob-expired"}, {"preset": "blob-expired"}, BlobState.EXPIRED),
]


@pytest.mark.parametrize(("members", "does", "effect"), RULES)
def test_what_a_rule_does_is_kept_and_read_again(members: Any, does: Any, effect: Effect) -> None:
    rule = parse_rule({**members, "match": {"prompt": {"contains": "fox"}}, "times": 1}, rule_id="a", set_at=START)
    fault = kept_fault(rule)
    assert fault == {"rule": "a", "does": does}
    assert (kept_rule(fault).id, kept_rule(fault).preset) == ("a", rule.preset)
    assert kept_effects(fault) == (effect,)
    assert told_fault(fault) == {"rule": "a", **does}


def test_what_was_decided_not_to_go_wrong_has_no_effect() -> None:
    assert kept_effects({}) == ()
    assert told_fault({}) is None


@pytest.mark.parametrize(
    ("document", "hooks"),
    [
        ({"preset": "blob-late", "params": {"seconds": 2}}, {Hook.BLOB}),
        ({"preset": "callback-drop"}, {Hook.CALLBACK}),
        ({"preset": "of-a-later-version"}, set()),
        (None, set()),
    ],
)
def test_a_fault_that_was_asked_for_takes_hold_at_its_hook_alone(document: JsonObject | None, hooks: set[Hook]) -> None:
    assert {hook for hook in Hook if asked_rule_at(hook, document) is not None} == hooks
