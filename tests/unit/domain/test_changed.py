"""A changed value is the one that `dataclasses.replace` would make."""

from dataclasses import FrozenInstanceError, fields, replace
from dis import get_instructions
from typing import Any

import pytest

from civitai_mock.domain.changed import COPIES, changed
from tests.support.jobs import make_claim, make_job, succeeded

JOB = make_job()
VALUES = [JOB, make_claim(), JOB.last_event, JOB.slots[0], succeeded(replace(JOB, claim=make_claim()))]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_each_member_can_be_changed(value: Any) -> None:
    assert changed(value) == value
    for member in fields(value):
        other = changed(value, **{member.name: "other"})
        assert other == replace(value, **{member.name: "other"})
        assert getattr(value, member.name) != "other"


def test_members_are_copied_without_a_call_for_each() -> None:
    changed(JOB, cost=5)
    calls = [step.opname for step in get_instructions(COPIES[type(JOB), "cost"]) if step.opname.startswith("CALL")]
    assert len(calls) == 1


def test_several_members_are_changed_at_once() -> None:
    assert changed(JOB, cost=5, name="a") == replace(JOB, cost=5, name="a")


def test_a_member_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AttributeError):
        changed(JOB, nothing=1)


def test_a_changed_value_is_as_frozen_as_any_other() -> None:
    member = "cost"
    assert type(changed(JOB)) is type(JOB)
    with pytest.raises(FrozenInstanceError):
        setattr(changed(JOB), member, 1)
    assert hash(changed(make_claim())) == hash(make_claim())
