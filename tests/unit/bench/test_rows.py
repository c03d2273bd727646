"""The table of rows."""

import pytest

from tests.bench.__main__ import parse_arguments, places_of
from tests.bench.goals import OURS, STORES, Beside
from tests.bench.references import REFERENCES
from tests.bench.report import table_of
from tests.bench.rows import ROWS, Row
from tests.bench.servers import Place
from tests.support.golden import Golden
from tests.support.paths import ROOT

START, END = "<!-- rows: begin -->\n", "<!-- rows: end -->"


def _each() -> list[object]:
    return [pytest.param(row, id=name) for name, row in ROWS.items()]


def test_the_table_of_the_documentation_lists_every_row(golden: Golden) -> None:
    page = ROOT / "docs" / "speed.md"
    before, _, rest = page.read_text("utf-8").partition(START)
    after = rest.partition(END)[2]
    golden.check_text(page, before + START + table_of(list(ROWS.values())) + END + after)


@pytest.mark.parametrize("row", _each())
def test_a_row_begins_with_ours_and_has_a_goal(row: Row) -> None:
    assert row.subjects[0].name == OURS
    assert row.subjects[0].is_ours
    assert row.goals


@pytest.mark.parametrize("row", _each())
def test_a_goal_is_about_subjects_and_stores_of_its_row(row: Row) -> None:
    names = {subject.name for subject in row.subjects}
    for goal in row.goals:
        assert goal.subject in names
        assert goal.reference in names if goal.beside is not Beside.NOTHING else not goal.reference
        assert (goal.most is None) != (goal.least is None)
        assert set(goal.stores) & set(row.stores)


@pytest.mark.parametrize("row", _each())
def test_the_subjects_of_a_row_can_be_told_apart_and_started(row: Row) -> None:
    assert len({subject.name for subject in row.subjects}) == len(row.subjects)
    assert {subject.reference for subject in row.subjects if not subject.measure} - {""} <= set(REFERENCES)
    assert set(row.stores) <= set(STORES)


def test_a_row_runs_on_its_own_stores_in_one_process_where_nothing_else_is_said() -> None:
    assert list(places_of(ROWS["kept"], parse_arguments([]))) == [Place(store="memory"), Place(store="file")]


def test_a_row_runs_on_all_stores_and_numbers_of_processes_that_are_asked_for_and_possible() -> None:
    """A store in the memory of one process cannot be that of another."""
    options = parse_arguments(["get", "--stores", "memory", "file", "mongo", "--processes", "1", "2"])
    assert [place.text for place in places_of(ROWS["get"], options)] == [
        "memory, 1 process",
        "file, 1 process",
        "file, 2 processes",
        "mongo, 1 process",
        "mongo, 2 processes",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["speed"], "unknown row speed; rows are get, get-cold, "),
        (["--scale", "0"], "--scale must be more than 0"),
        (["--rounds", "0"], "--rounds at least 1"),
        (["--stores", "redis"], "invalid choice: 'redis'"),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments)
    assert reason in capsys.readouterr().err
