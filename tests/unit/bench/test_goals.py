"""Goals: how a figure is compared, and whether it is reached."""

from collections.abc import Sequence

import pytest

from tests.bench.goals import UNITS, Beside, Figure, Figures, Goal
from tests.bench.spread import Spread


def _cpu(*values: float | None) -> Sequence[Figures]:
    return [{Figure.CPU: value} for value in values]


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        (Beside.NOTHING, Spread(50, 40, 60)),
        (Beside.RATIO, Spread(2, 2, 2)),
        (Beside.SPEED, Spread(0.5, 0.5, 0.5)),
        (Beside.DIFFERENCE, Spread(25, 20, 30)),
    ],
)
def test_a_figure_is_compared_with_that_of_the_same_round(beside: Beside, found: Spread) -> None:
    rounds = {"ours": _cpu(40, 50, 60), "bare": _cpu(20, 25, 30)}
    assert Goal(figure=Figure.CPU, most=1, beside=beside, reference="bare").found(rounds) == found


def test_nothing_is_found_where_one_of_both_is_missing() -> None:
    goal = Goal(figure=Figure.CPU, most=1, beside=Beside.RATIO, reference="bare")
    assert goal.found({"ours": _cpu(40)}) is None
    assert goal.found({"bare": _cpu(40)}) is None
    assert goal.found({"ours": _cpu(40), "bare": _cpu(None)}) is None
    assert Goal(figure=Figure.RSS, most=1).found({"ours": _cpu(40)}) is None


@pytest.mark.parametrize(("median", "is_met"), [(79, True), (80, True), (81, False)])
def test_the_median_decides_about_an_upper_bound(median: float, *, is_met: bool) -> None:
    assert Goal(figure=Figure.CPU, most=80).is_met(Spread(median, 1, 1000)) is is_met


@pytest.mark.parametrize(("median", "is_met"), [(929, False), (930, True), (931, True)])
def test_the_median_decides_about_a_lower_bound(median: float, *, is_met: bool) -> None:
    assert Goal(figure=Figure.RATE, least=930).is_met(Spread(median, 1, 1000)) is is_met


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (Goal(figure=Figure.CPU, most=80), "cpu of ours: at most 80 µs"),
        (Goal(figure=Figure.STATEMENTS, most=10), "statements of ours: at most 10"),
        (Goal(figure=Figure.RATE, least=930), "rate of ours: at least 930 /s"),
        (
            Goal(figure=Figure.CPU, least=0.5, beside=Beside.SPEED, reference="fastapi"),
            "cpu of fastapi ÷ ours: at least 0.5 times",
        ),
        (
            Goal(figure=Figure.CPU, most=1.1, beside=Beside.RATIO, reference="blank"),
            "cpu of ours ÷ blank: at most 1.1 times",
        ),
        (
            Goal(figure=Figure.CPU, most=8, beside=Beside.DIFFERENCE, subject="JSON log", reference="ours"),
            "cpu of JSON log - ours: at most 8 µs",
        ),
    ],
)
def test_a_goal_says_what_is_to_be_reached(goal: Goal, text: str) -> None:
    assert goal.text == text


def test_every_figure_has_a_unit() -> None:
    assert set(UNITS) == set(Figure)
