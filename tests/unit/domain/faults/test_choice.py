"""Which rule fires, how often, and what is told of the others."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.fault_presets import Hook, Target
from civitai_mock.domain.faults.choice import Choice, Count, Counted, Dice, choose
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.rules import FaultRule, parse_fault_header, parse_rule
from tests.support.dates import START
from tests.support.table import table

REQUEST = FaultSubject(hook=Hook.REQUEST, method="GET", route="/v1/consumer/jobs/{jobId}", targets={Target.STATUS})
SECOND = timedelta(seconds=1)


def _rule(rule_id: str, **members: Any) -> FaultRule:
    what = {} if "preset" in members or "action" in members else {"action": {"status": 500}}
    return parse_rule(what | members, rule_id=rule_id, set_at=START)


def _always(number: float) -> Dice:
    return lambda _rule, _match: number


def _drawn(stream: Random) -> Dice:
    return lambda _rule, _match: stream.random()


class Counters:
    """What a store would count."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, Counted]] = Counter()

    def add(self, count: Count) -> int:
        self.counts[count.rule.id, count.counted] += 1
        return self.counts[count.rule.id, count.counted]

    def choose(
        self,
        rules: Iterable[FaultRule],
        subject: FaultSubject = REQUEST,
        *,
        seconds: float = 0,
        dice: Dice | None = None,
        spent: Sequence[str] = (),
    ) -> Choice:
        now = START + seconds * SECOND
        choosing = choose(rules, subject, now=lambda _rule: now, dice=dice or _always(0), spent=spent)
        try:
            count = next(choosing)
            while True:
                count = choosing.send(self.add(count))
        except StopIteration as end:
            choice = end.value
            assert isinstance(choice, Choice)
            return choice

    def fired(self, rules: Sequence[FaultRule], *, times: int, **more: Any) -> list[str | None]:
        choices = [self.choose(rules, **more) for _ in range(times)]
        return [None if choice.rule is None else choice.rule.id for choice in choices]


def _looks(choice: Choice) -> list[tuple[str, str | None]]:
    return [(look.rule.id, look.failed) for look in choice.looks]


def test_the_first_rule_that_matches_fires_and_no_later_one_is_looked_at() -> None:
    header = parse_fault_header("reset")
    rules = [_rule("a", match={"method": "POST"}), header, _rule("b")]
    choice = Counters().choose(rules)
    assert choice.rule is header
    assert _looks(choice) == [("a", "match.method"), ("reset", None)]


def test_a_rule_that_takes_hold_elsewhere_is_not_looked_at() -> None:
    rules = [_rule("job", preset="node-crash"), _rule("both", action={"late": "5s"}), _rule("request")]
    assert _looks(Counters().choose(rules)) == [("request", None)]
    for hook, fired in ((Hook.JOB, "job"), (Hook.BLOB, "both"), (Hook.CALLBACK, "both"), (Hook.STREAM, None)):
        assert Counters().fired(rules, times=1, subject=FaultSubject(hook=hook)) == [fired]


@table(
    ("members", "seconds", "failed"),
    [
        ({"enabled": False}, 0, "enabled"),
        ({"forSeconds": 10}, 9.9, None),
        ({"forSeconds": 10}, 10, "until"),
        ({"until": "2025-09-06T18:18:26.167943Z"}, 9.9, None),
        ({"until": "2025-09-06T18:18:26.167943Z"}, 10, "until"),
        ({"match": {"route": "/"}}, 0, "match.route"),
        ({"preset": "status-hang"}, 0, None),
        ({"preset": "whatif-park"}, 0, "preset"),
        ({"preset": "answer-200"}, 0, None),
        ({"preset": "reset"}, 0, None),
    ],
)
def test_what_keeps_a_rule_from_firing_is_told(members: dict[str, Any], seconds: float, failed: str | None) -> None:
    choice = Counters().choose([_rule("a", **members), _rule("b")], seconds=seconds)
    assert _looks(choice)[0] == ("a", failed)
    assert choice.rule is not None
    assert choice.rule.id == ("a" if failed is None else "b")


@pytest.mark.parametrize(
    ("members", "fired"),
    [
        ({}, "aaaaaaaa"),
        ({"times": 3}, "aaabbbbb"),
        ({"after": 2}, "bbaaaaaa"),
        ({"every": 3}, "bbabbabb"),
        ({"after": 2, "every": 2}, "bbbababa"),
        ({"after": 1, "every": 2, "times": 2}, "bbababbb"),
    ],
)
def test_a_rule_fires_as_often_as_its_scope_says_and_else_the_next_one_does(members: Any, fired: str) -> None:
    rules = [_rule("a", **members), _rule("b")]
    assert Counters().fired(rules, times=8) == list(fired)


def test_the_dice_fall_for_the_rule_that_wins_alone() -> None:
    fallen = []

    def dice(rule: FaultRule, number: int) -> float:
        fallen.append((rule.id, number))
        return 0.5

    rules = [_rule("a", probability=0.5), _rule("b", probability=1), _rule("c", probability=0.1)]
    counters = Counters()
    choice = counters.choose(rules, dice=dice)
    assert choice.rule is None
    assert _looks(choice) == [("a", "probability")]
    counters.choose(rules, dice=dice)
    assert fallen == [("a", 1), ("a", 2)]


def test_a_probability_is_how_often_a_rule_fires() -> None:
    stream = Random(7)
    fired = Counters().fired([_rule("a", probability=0.3)], times=2000, dice=_drawn(stream))
    assert 500 < fired.count("a") < 700


@pytest.mark.parametrize("probability", [0, 1])
def test_what_never_and_what_always_happens_is_certain(probability: int) -> None:
    stream = Random(7)
    rules = [_rule("a", probability=probability)]
    fired = Counters().fired(rules, times=200, dice=_drawn(stream))
    assert set(fired) == ({"a"} if probability else {None})


def test_nothing_is_counted_of_a_rule_that_always_fires_and_hits_alone_of_one_that_fires_some_times() -> None:
    always, some, sometimes = Counters(), Counters(), Counters()
    always.fired([_rule("a")], times=3)
    some.fired([_rule("a", times=2)], times=3)
    sometimes.fired([_rule("a", times=2, every=2)], times=3)
    assert always.counts == {}
    assert some.counts == {("a", Counted.HITS): 3}
    assert sometimes.counts == {("a", Counted.MATCHES): 3, ("a", Counted.HITS): 1}


def test_no_match_is_counted_where_another_rule_came_first_or_a_condition_failed() -> None:
    counters = Counters()
    rules = [_rule("a", every=2, match={"method": "POST"}), _rule("b", times=1), _rule("c", after=1)]
    assert counters.fired(rules, times=3) == ["b", None, "c"]
    assert counters.counts == {("b", Counted.HITS): 3, ("c", Counted.MATCHES): 2}


def test_a_rule_that_is_known_to_be_spent_counts_no_more_and_keeps_nobody_back() -> None:
    counters = Counters()
    rules = [_rule("a", times=1, probability=0.5), _rule("b")]
    assert counters.fired(rules, times=2, spent=["a"], dice=_always(0.9)) == ["b", "b"]
    assert counters.counts == {}
    assert _looks(counters.choose(rules, spent=["a"])) == [("a", "times"), ("b", None)]


@given(
    times=st.integers(1, 5),
    after=st.integers(0, 3),
    every=st.integers(1, 3),
    probability=st.sampled_from([0.3, 1.0]),
    seed=st.integers(),
)
def test_a_rule_never_fires_more_often_than_it_may_in_any_number_of_processes(
    times: int, after: int, every: int, probability: float, seed: int
) -> None:
    """All of them count in one place, and none knows what is spent."""
    stream = Random(seed)
    rule = _rule("a", times=times, after=after, every=every, probability=probability)
    fired = Counters().fired([rule], times=60, dice=_drawn(stream))
    assert fired.count("a") <= times
    if probability == 1:
        assert fired.count("a") == times
        assert fired.index("a") == after + every - 1
