"""Rounds: who is measured when, and what becomes of one that fails."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.goals import Figure, Figures, Goal
from tests.bench.load import LoadProcess
from tests.bench.revisions import Revision
from tests.bench.rounds import Result, Size, run_row
from tests.bench.rows import OURS, Row
from tests.bench.servers import Place, UnmeasuredError
from tests.bench.trials import Subject, Trial

REVISIONS = [Revision(name=name, source=Path(name)) for name in ("new", "old")]


def _run(row: Row, size: Size, revisions: Sequence[Revision]) -> tuple[Result, list[str]]:
    told = list[str]()
    result = run_row(
        row,
        Place(store="memory"),
        size,
        revisions=revisions,
        load_process=LoadProcess(),
        progress=lambda line: told.append(line.partition(", round ")[2]),
    )
    return result, told


def _row(*subjects: Subject) -> Row:
    def measure(trial: Trial) -> Figures:
        if trial.subject.name == "broken":
            raise UnmeasuredError("it hung up")
        return {Figure.CPU: float(trial.requests)}

    goals = [Goal(figure=Figure.CPU, most=1)]
    return Row(name="get", what="GET", measure=measure, requests=1000, subjects=subjects, goals=goals)


def test_each_subject_is_first_in_its_turn() -> None:
    result, told = _run(_row(OURS, Subject(name="quiet")), Size(rounds=3), REVISIONS[:1])
    assert told == ["1: ours", "1: quiet", "2: quiet", "2: ours", "3: ours", "3: quiet"]
    assert {name: len(each) for name, each in result.rounds.items()} == {"ours": 3, "quiet": 3}


def test_another_revision_of_ours_runs_in_turn() -> None:
    result, told = _run(_row(OURS), Size(rounds=2), REVISIONS)
    assert told == ["1: ours", "1: ours @ old", "2: ours @ old", "2: ours"]
    assert result.twins == {"ours": "ours @ old"}
    assert result.revision == "new"


def test_one_that_fails_is_left_out_and_the_others_go_on() -> None:
    result, told = _run(_row(OURS, Subject(name="broken")), Size(rounds=2), REVISIONS[:1])
    assert told == ["1: ours", "1: broken", "2: ours"]
    assert result.unmeasured == {"broken": "it hung up"}
    assert list(result.rounds) == ["ours"]


def test_a_scale_cuts_the_requests_but_never_to_none() -> None:
    result, _ = _run(_row(OURS), Size(rounds=1, scale=0.01), REVISIONS[:1])
    assert result.rounds["ours"] == [{Figure.CPU: 10.0}]
    assert Size(scale=0.0001).requests_of(_row(OURS)) == 1
