"""What rounds tell, and what they do not."""

import random

import pytest

from tests.bench.spread import Difference, Spread, median_interval
from tests.support.table import table


def test_a_spread_is_the_median_and_the_range() -> None:
    assert Spread.over([3.0, 1.0, 8.0, 2.0]) == Spread(2.5, 1.0, 8.0)


@pytest.mark.parametrize("rounds", range(1, 6))
def test_fewer_than_six_rounds_have_no_interval(rounds: int) -> None:
    assert median_interval(list(map(float, range(rounds)))) is None


@pytest.mark.parametrize(
    ("rounds", "interval"),
    [(6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (12, (3, 10)), (20, (6, 15)), (100, (40, 61))],
)
def test_the_interval_has_the_ranks_of_the_tables(rounds: int, interval: tuple[int, int]) -> None:
    """They are those that textbooks list for the sign test at 5 %."""
    values = list(map(float, range(1, rounds + 1)))
    random.Random(1).shuffle(values)
    assert median_interval(values) == interval


def test_the_interval_holds_the_median_in_95_of_100_cases_whatever_the_spread() -> None:
    rng = random.Random(7)
    intervals = [median_interval([rng.lognormvariate(0, 1) for _ in range(20)]) for _ in range(1000)]
    assert 940 <= sum(lowest <= 1 <= highest for lowest, highest in filter(None, intervals)) <= 975


def test_a_difference_is_taken_round_by_round() -> None:
    """A machine that becomes three times as slow hides nothing."""
    theirs = [100.0, 110.0, 300.0, 305.0, 290.0, 120.0]
    difference = Difference.between([value * 0.9 for value in theirs], theirs)
    assert difference.median == pytest.approx(-0.1)
    assert difference.is_told
    assert difference.text == "-10.0% (-10.0% to -10.0%)"


def _difference(median: float, *, rounds: int, lowest: float | None = None, highest: float | None = None) -> Difference:
    return Difference(
        median=median,
        lowest=median - 0.01 if lowest is None else lowest,
        highest=median + 0.01 if highest is None else highest,
        rounds=rounds,
    )


@table(
    ("difference", "is_told"),
    [
        (_difference(0.2, rounds=5), False),
        (_difference(0.2, rounds=6), True),
        (_difference(-0.2, rounds=6), True),
        (_difference(0.2, rounds=6, lowest=-0.01), False),
        (_difference(0.03, rounds=19), False),
        (_difference(0.03, rounds=20), True),
        (_difference(-0.03, rounds=20), True),
        (_difference(-0.03, rounds=20, highest=0.0), False),
    ],
)
def test_a_difference_is_told_only_where_the_rounds_are_enough(difference: Difference, *, is_told: bool) -> None:
    assert difference.is_told is is_told


def test_what_is_not_told_says_what_would_tell_more() -> None:
    assert _difference(0.03, rounds=6).text == "no difference told from 6 rounds (+2.0% to +4.0%); 20 rounds tell more"
    assert _difference(0.03, rounds=20, lowest=-0.01).text == "no difference told (-1.0% to +4.0%)"
