"""Rounds: all subjects of a row in turn, again and again, so that what changes with time touches all of them."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.apis import V1
from tests.bench.goals import Figures
from tests.bench.load import LoadError, LoadProcess
from tests.bench.revisions import Revision
from tests.bench.rows import Row
from tests.bench.servers import Place, UnmeasuredError, exchange, running_ours
from tests.bench.trials import BLANK, Subject, Trial, await_success

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a row is run: so many rounds (None is what the row says), and a share of its requests."""

    rounds: int | None = None
    scale: float = 1.0

    def rounds_of(self, row: Row) -> int:
        return self.rounds or row.rounds

    def requests_of(self, row: Row) -> int:
        return max(round(row.requests * self.scale), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a row at one place: the figures of each round by subject, or why a subject has none."""

    row: Row
    place: Place
    size: Size
    revision: str
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)  # our subjects, each with its name in the other revision

    @property
    def has_failed(self) -> bool:
        """Something of ours was not measured; references may be missing."""
        return any(subject.is_ours and subject.name in self.unmeasured for subject in self.row.subjects)

    @property
    def is_judged(self) -> bool:
        """A goal is about the whole row."""
        return self.size.scale == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    name: str
    subject: Subject
    revision: Revision


def run_row(
    row: Row, place: Place, size: Size, *, revisions: Sequence[Revision], load_process: LoadProcess, progress: Progress
) -> Result:
    """Measure the first revision beside the references, and beside the second revision if there is one."""
    contestants = list(_contestants(row, revisions))
    result = Result(row=row, place=place, size=size, revision=revisions[0].name, twins=_twins(row, revisions))
    with _answers(row, revisions[0]) as answers:
        for number in range(size.rounds_of(row)):
            for contestant in _rotated(contestants, number):
                if contestant.name in result.unmeasured:
                    continue
                progress(f"{row.name} on {place.text}, round {number + 1}: {contestant.name}")
                trial = _trial(result, contestant, load_process, answers)
                _measure(result, contestant, trial)
    return result


def _contestants(row: Row, revisions: Sequence[Revision]) -> Iterator[Contestant]:
    """Ours is measured in each revision, a reference once."""
    for subject in row.subjects:
        yield Contestant(name=subject.name, subject=subject, revision=revisions[0])
        if subject.is_ours:
            for other in revisions[1:]:
                yield Contestant(name=f"{subject.name} @ {other.name}", subject=subject, revision=other)


def _twins(row: Row, revisions: Sequence[Revision]) -> Mapping[str, str]:
    ours = [subject.name for subject in row.subjects if subject.is_ours]
    return {name: f"{name} @ {other.name}" for other in revisions[1:] for name in ours}


def _rotated(contestants: Sequence[Contestant], number: int) -> Sequence[Contestant]:
    """Let each be first in its turn, as the first may find the machine in another state than the last."""
    first = number % len(contestants)
    return [*contestants[first:], *contestants[:first]]


def _trial(result: Result, contestant: Contestant, load_process: LoadProcess, answers: Path) -> Trial:
    row = result.row
    return Trial(
        subject=contestant.subject,
        place=result.place,
        revision=contestant.revision,
        settings=row.settings,
        requests=result.size.requests_of(row),
        connections=row.connections,
        load_process=load_process,
        answers=answers,
    )


def _measure(result: Result, contestant: Contestant, trial: Trial) -> None:
    """A subject that fails once is left out of the row, so that all others have the same rounds."""
    measure = contestant.subject.measure or result.row.measure
    try:
        result.rounds.setdefault(contestant.name, []).append(measure(trial))
    except (UnmeasuredError, LoadError, OSError) as error:
        del result.rounds[contestant.name]
        result.unmeasured[contestant.name] = str(error) or type(error).__name__


@contextmanager
def _answers(row: Row, revision: Revision) -> Iterator[Path]:
    """Write what ours answers to a POST and, when the job has succeeded, to a GET, for the references."""
    with tempfile.TemporaryDirectory(prefix="civitai-mock-bench-") as name:
        folder = Path(name)
        if any(subject.reference for subject in row.subjects):
            with running_ours(revision, Place(store="memory"), BLANK) as server:
                template = json.dumps(row.subjects[0].template).encode()
                status, posted = exchange(server.port, "POST", V1.path, template)
                if status >= 400:
                    raise UnmeasuredError(f"status {status} of POST {V1.path}: {posted[:500]!r}")
                job_id = json.loads(posted)["jobs"][0]["jobId"]
                await_success(server, V1, job_id)
                (folder / "post.json").write_bytes(posted)
                (folder / "get.json").write_bytes(exchange(server.port, "GET", f"{V1.path}/{job_id}")[1])
        yield folder
