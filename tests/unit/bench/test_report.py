"""Results as text and as JSON."""

import json
from collections.abc import Mapping, Sequence

import pytest

from tests.bench.goals import Beside, Figure, Figures, Goal
from tests.bench.measures import same_job
from tests.bench.report import differences_of, goals_of, json_of, number_text, text_of
from tests.bench.rounds import Result, Size
from tests.bench.rows import FASTAPI, OURS, Row
from tests.bench.servers import Place

ROW = Row(
    name="get",
    what="GET a job",
    measure=same_job,
    requests=1000,
    subjects=(OURS, FASTAPI),
    goals=[
        Goal(figure=Figure.CPU, most=80),
        Goal(figure=Figure.CPU, least=1, beside=Beside.SPEED, reference="fastapi", stores=("memory",)),
        Goal(figure=Figure.STATEMENTS, most=10, stores=("memory", "file")),
    ],
)
MEMORY = Place(store="memory")
CPU = (150.0, 156.0)
FIGURES: Sequence[Figures] = [{Figure.CPU: cpu, Figure.RATE: 6000.0, Figure.STATEMENTS: None} for cpu in CPU]
ROUNDS: Mapping[str, Sequence[Figures]] = {"ours": FIGURES, "fastapi": [{Figure.CPU: 75.0}, {Figure.CPU: 78.0}]}
TEXT = """\
get: GET a job
  abc on memory, 1 process, 2 rounds
             cpu µs            rate /s  statements
    ours     153 (150-156)     6,000    unknown
    fastapi  76.5 (75.0-78.0)  unknown  unknown
  goal: cpu of ours: at most 80 µs; found 153 (150-156): missed
  goal: cpu of fastapi ÷ ours: at least 1 times; found 0.500: missed
  goal: statements of ours: at most 10; unknown
"""


def _result(
    *,
    place: Place = MEMORY,
    size: Size = Size(rounds=2),  # noqa: B008 - it cannot change
    rounds: Mapping[str, Sequence[Figures]] = ROUNDS,
    unmeasured: Mapping[str, str] | None = None,
    twins: Mapping[str, str] | None = None,
) -> Result:
    return Result(
        row=ROW,
        place=place,
        size=size,
        revision="abc",
        rounds={name: list(each) for name, each in rounds.items()},
        unmeasured=dict(unmeasured or {}),
        twins=twins or {},
    )


def test_the_text_has_figures_with_their_range_and_goals_with_a_verdict() -> None:
    assert text_of(_result()) == TEXT


def test_a_row_that_was_cut_judges_nothing() -> None:
    result = _result(size=Size(rounds=2, scale=0.1))
    assert "2 rounds, 100 of 1,000 requests\n" in text_of(result)
    assert "found 153 (150-156): not judged, as the row was cut\n" in text_of(result)
    assert [goal["met"] for goal in json_of([result])["rows"][0]["goals"]] == [None, None, None]


def test_what_was_not_measured_says_why() -> None:
    result = _result(rounds={}, unmeasured={"ours": "it hung up"})
    assert "\n    ours was not measured: it hung up\n" in text_of(result)
    assert result.has_failed


def test_a_missing_reference_is_not_a_failure() -> None:
    assert not _result(rounds={"ours": FIGURES}, unmeasured={"fastapi": "it hung up"}).has_failed


@pytest.mark.parametrize(
    ("place", "goals"),
    [(MEMORY, 3), (Place(store="file"), 2), (Place(store="mongo"), 1), (Place(store="file", processes=2), 0)],
)
def test_goals_hold_at_their_stores_in_one_process(place: Place, goals: int) -> None:
    assert len(goals_of(_result(place=place))) == goals


def test_revisions_are_compared_in_each_figure_that_both_know() -> None:
    """A figure that is 0 has no ratio."""
    ours: Sequence[Figures] = [{Figure.CPU: 90.0, Figure.WRITES: 0.0, Figure.STATEMENTS: 3.0}] * 6
    theirs: Sequence[Figures] = [{Figure.CPU: 100.0, Figure.WRITES: 0.0, Figure.STATEMENTS: None}] * 6
    result = _result(rounds={"ours": ours, "ours @ v1": theirs}, twins={"ours": "ours @ v1"})
    ((name, figure, difference),) = differences_of(result)
    assert (name, figure, round(difference.median, 9)) == ("ours against v1", Figure.CPU, -0.1)
    assert text_of(result).endswith("\n  ours against v1, cpu: -10.0% (-10.0% to -10.0%)\n")


def test_json_has_every_round_and_null_for_what_is_unknown() -> None:
    document = json.loads(json.dumps(json_of([_result()])))
    (row,) = document["rows"]
    ours = row["figures"]["ours"]
    assert ours["cpu"] == {"unit": "µs", "median": 153.0, "lowest": 150.0, "highest": 156.0, "values": [150.0, 156.0]}
    assert ours["statements"] is None
    assert (row["name"], row["store"], row["processes"], row["requests"]) == ("get", "memory", 1, 1000)
    assert [(goal["goal"], goal["met"]) for goal in row["goals"]] == [
        ("cpu of ours: at most 80 µs", False),
        ("cpu of fastapi ÷ ours: at least 1 times", False),
        ("statements of ours: at most 10", None),
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.4567, "0.457"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346"), (-0.5, "-0.500")],
)
def test_numbers_have_three_digits_that_count(number: float, text: str) -> None:
    assert number_text(number) == text
