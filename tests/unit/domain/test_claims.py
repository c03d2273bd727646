"""The rules of claims, and what the events of a job say about claims that ended."""

from dataclasses import replace
from datetime import timedelta

from civitai_mock.domain.claims import RULES, Actor, Change, Holding, allows, deaths_in_a_row, owes_retry
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.stages import JobEventType, Stage
from tests.support.dates import START
from tests.support.jobs import SECOND, make_claim, make_job
from tests.support.table import table

CLAIMED = (JobEventType.CLAIMED, Stage.CLAIMED, 0)
PREPARED = (JobEventType.UPDATED, Stage.PROMPT_PREPARED, 0)
SENT = (JobEventType.UPDATED, Stage.SENT_TO_COMFY, 0)
SENT_AGAIN = (JobEventType.UPDATED, Stage.SENT_TO_COMFY, 1)
STEP = SENT
DIED = (JobEventType.CLAIM_EXPIRED, Stage.SENT_TO_COMFY, 0)
DIED_AGAIN = (JobEventType.CLAIM_EXPIRED, Stage.SENT_TO_COMFY, 1)
DIED_EARLY = (JobEventType.CLAIM_EXPIRED, Stage.PROMPT_PREPARED, 0)
STOPPED = (JobEventType.LATE_REJECTED, Stage.SENT_TO_COMFY, 0)


def events_of(*facts: tuple[JobEventType, Stage, int]) -> list[JobEvent]:
    first = make_job().last_event
    rest = [
        replace(first, seq=seq, type=event, stage=stage, retry_attempt=attempt)
        for seq, (event, stage, attempt) in enumerate(facts, start=1)
    ]
    return [first, *rest]


@table(
    ("facts", "deaths"),
    [
        ([], 0),
        ([CLAIMED, PREPARED, SENT], 0),
        ([CLAIMED, PREPARED, SENT, DIED], 1),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, SENT], 1),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, DIED_EARLY, DIED_EARLY], 3),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, SENT, STEP], 0),
        ([CLAIMED, PREPARED, SENT, STEP, DIED, CLAIMED, PREPARED, SENT, DIED], 2),
        ([CLAIMED, PREPARED, SENT, STOPPED, CLAIMED, PREPARED, SENT], 0),
    ],
)
def test_deaths_are_counted_since_the_prompt_last_got_on(
    facts: list[tuple[JobEventType, Stage, int]], deaths: int
) -> None:
    assert deaths_in_a_row(events_of(*facts)) == deaths


@table(
    ("facts", "attempt", "owed"),
    [
        ([CLAIMED, PREPARED], 0, False),
        ([CLAIMED, PREPARED, DIED_EARLY, CLAIMED, PREPARED], 0, False),
        ([CLAIMED, PREPARED, SENT, STOPPED, CLAIMED, PREPARED], 0, False),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED], 0, True),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, DIED_EARLY, CLAIMED, PREPARED], 0, True),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, SENT_AGAIN], 1, False),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, SENT_AGAIN, DIED_AGAIN, CLAIMED, PREPARED], 1, True),
        ([CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED, SENT, DIED, CLAIMED, PREPARED], 0, True),
    ],
)
def test_a_death_is_paid_for_once_and_only_if_the_prompt_had_been_sent(
    facts: list[tuple[JobEventType, Stage, int]], attempt: int, owed: bool
) -> None:
    assert owes_retry(events_of(*facts), retry_attempt=attempt) is owed


def test_nobody_changes_what_has_ended_and_every_other_job_can_be_ended() -> None:
    assert not any(allows(change, Holding.ENDED) for change in Change)
    for holding in set(Holding) - {Holding.ENDED}:
        assert any(holding in rule.before and Holding.ENDED in rule.after for rules in RULES.values() for rule in rules)


def test_whatever_is_held_can_be_taken_back_by_somebody_else_than_its_holder() -> None:
    rules = [rule for rule in RULES[Change.ABANDON] if Holding.HELD in rule.before]
    assert {rule.by for rule in rules} == {Actor.SCHEDULER}
    assert set(Change) == set(RULES)


def test_a_claim_stays_the_same_when_its_lease_is_renewed() -> None:
    claim = make_claim()
    assert claim.is_same(replace(claim, until=START + timedelta(days=1)))
    assert not claim.is_same(replace(claim, at=START + SECOND))
    assert not claim.is_same(make_claim("another"))
    assert not claim.is_same(None)
