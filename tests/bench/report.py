"""Results for people and for programs."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.goals import UNITS, Figure, Figures, Goal, known
from tests.bench.rounds import Result
from tests.bench.rows import Row
from tests.bench.spread import Difference, Spread

UNKNOWN = "unknown"


def text_of(result: Result) -> str:
    """The figures as median (range), then the goals, then the differences from another revision."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    rounds = result.size.rounds_of(result.row)
    share = "" if result.is_judged else f", {result.size.requests_of(result.row):,} of {result.row.requests:,} requests"
    yield f"{result.row.name}: {result.row.what}"
    yield f"  {result.revision} on {result.place.text}, {rounds} round{'s' if rounds > 1 else ''}{share}"
    yield from (f"    {line}" for line in _table(result.rounds))
    yield from (f"    {name} was not measured: {reason}" for name, reason in result.unmeasured.items())
    yield from (f"  goal: {_goal_line(goal, result)}" for goal in goals_of(result))
    yield from (f"  {name}, {figure}: {difference.text}" for name, figure, difference in differences_of(result))


def _table(rounds: Mapping[str, Sequence[Figures]]) -> Iterator[str]:
    figures = [figure for figure in Figure if any(figure in each for measured in rounds.values() for each in measured)]
    heads = [f"{figure} {UNITS[figure]}".strip() for figure in figures]
    cells = [[name, *(_cell(known(measured, figure)) for figure in figures)] for name, measured in rounds.items()]
    rows = [["", *heads], *cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if cells else []:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(values: Sequence[float]) -> str:
    return _spread_text(Spread.over(values)) if values else UNKNOWN


def _spread_text(spread: Spread) -> str:
    if spread.lowest == spread.highest:
        return number_text(spread.median)
    return f"{number_text(spread.median)} ({number_text(spread.lowest)}-{number_text(spread.highest)})"


def number_text(number: float) -> str:
    """Three digits that count, or more before the point."""
    places = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2 if abs(number) >= 1 else 3
    return f"{number:,.{places}f}"


def goals_of(result: Result) -> Sequence[Goal]:
    """They hold at the stores that they name, in one process."""
    return [goal for goal in result.row.goals if result.place.store in goal.stores and result.place.processes == 1]


def _goal_line(goal: Goal, result: Result) -> str:
    found = goal.found(result.rounds)
    if found is None:
        return f"{goal.text}; {UNKNOWN}"
    verdict = ("met" if goal.is_met(found) else "missed") if result.is_judged else "not judged, as the row was cut"
    return f"{goal.text}; found {_spread_text(found)}: {verdict}"


def differences_of(result: Result) -> Iterator[tuple[str, Figure, Difference]]:
    """How ours differs from its twin, in each figure that both have and that is not nothing."""
    for name, twin in result.twins.items():
        for figure in Figure:
            ours, theirs = (known(result.rounds.get(each, ()), figure) for each in (name, twin))
            if ours and len(ours) == len(theirs) and all(theirs):
                yield f"{name} against {twin.partition(' @ ')[2]}", figure, Difference.between(ours, theirs)


def json_of(results: Sequence[Result]) -> dict[str, Any]:
    """The figures of each round are there too, so that others can judge them."""
    rows = [_json_row(result) for result in results]
    return {"python": platform.python_version(), "cores": os.cpu_count(), "rows": rows}


def _json_row(result: Result) -> dict[str, Any]:
    return {
        "name": result.row.name,
        "revision": result.revision,
        "store": result.place.store,
        "processes": result.place.processes,
        "rounds": result.size.rounds_of(result.row),
        "requests": result.size.requests_of(result.row),
        "figures": {name: _json_figures(measured) for name, measured in result.rounds.items()},
        "unmeasured": result.unmeasured,
        "goals": [_json_goal(goal, result) for goal in goals_of(result)],
        "differences": [_json_difference(*each) for each in differences_of(result)],
    }


def _json_figures(measured: Sequence[Figures]) -> dict[str, Any]:
    """A figure that nobody told is null."""
    return {
        figure: {"unit": UNITS[figure], **_json_spread(Spread.over(values)), "values": values} if values else None
        for figure in Figure
        if any(figure in each for each in measured)
        for values in [known(measured, figure)]
    }


def _json_spread(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "lowest": spread.lowest, "highest": spread.highest}


def _json_goal(goal: Goal, result: Result) -> dict[str, Any]:
    found = goal.found(result.rounds)
    return {
        "goal": goal.text,
        "found": None if found is None else _json_spread(found),
        "met": goal.is_met(found) if found is not None and result.is_judged else None,
    }


def _json_difference(name: str, figure: Figure, difference: Difference) -> dict[str, Any]:
    return {
        "what": name,
        "figure": figure,
        "median": difference.median,
        "lowest": difference.lowest,
        "highest": difference.highest,
        "told": difference.is_told,
    }


def table_of(rows: Sequence[Row]) -> str:
    """The rows as a table of the documentation."""
    lines = [
        f"| `{row.name}` | {row.what} | {', '.join(row.stores)} | {_references(row)} | {_goals(row)} |" for row in rows
    ]
    return "\n".join(["| row | load | store | beside | goals |", "|---|---|---|---|---|", *lines]) + "\n"


def _references(row: Row) -> str:
    return ", ".join(subject.name for subject in row.subjects[1:])


def _goals(row: Row) -> str:
    """Say where a goal holds, if not on all stores that the row is about."""
    return "; ".join(
        goal.text if set(row.stores) <= set(goal.stores) else f"{goal.text} ({', '.join(goal.stores)})"
        for goal in row.goals
    )
