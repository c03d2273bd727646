"""What a figure is to reach, by itself or beside another server of the same rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.bench.spread import Spread

OURS = "ours"
STORES = ("memory", "file", "mongo")


class Figure(StrEnum):
    """What is measured; for each request or job where its unit does not say otherwise."""

    CPU = "cpu"
    RATE = "rate"
    P50 = "p50"
    P99 = "p99"
    FIRST = "first"
    LAST = "last"
    START = "start"
    START_CPU = "start cpu"
    IMPORT = "import"
    RSS = "rss"
    PEAK = "peak"
    MORE = "more rss"
    DISK = "disk"
    STATEMENTS = "statements"
    WRITES = "writes"
    WRITTEN = "written"
    P50_EARLY = "p50 early"
    GROWTH = "growth"


UNITS: Mapping[Figure, str] = {
    Figure.CPU: "µs",
    Figure.RATE: "/s",
    Figure.P50: "ms",
    Figure.P99: "ms",
    Figure.FIRST: "s",
    Figure.LAST: "s",
    Figure.START: "s",
    Figure.START_CPU: "s",
    Figure.IMPORT: "s",
    Figure.RSS: "MB",
    Figure.PEAK: "MB",
    Figure.MORE: "MB",
    Figure.DISK: "MB",
    Figure.STATEMENTS: "",
    Figure.WRITES: "",
    Figure.WRITTEN: "kB",
    Figure.P50_EARLY: "ms",
    Figure.GROWTH: "times",
}

# The figures of one round; None is unknown, as a server does not tell.
Figures = Mapping[Figure, float | None]


class Beside(StrEnum):
    """How a figure is compared with that of another server."""

    NOTHING = "nothing"
    RATIO = "ratio"  # ours / theirs
    SPEED = "speed"  # theirs / ours: how many times as fast we are, where little is good
    DIFFERENCE = "difference"  # ours - theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound for the median of one figure of `subject`; `reference` is whom it is compared with."""

    figure: Figure
    most: float | None = None
    least: float | None = None
    subject: str = OURS
    beside: Beside = Beside.NOTHING
    reference: str = ""
    stores: Sequence[str] = STORES

    @property
    def text(self) -> str:
        unit = "times" if self.beside in {Beside.RATIO, Beside.SPEED} else UNITS[self.figure]
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        return f"{self._what}: {bound} {unit}".rstrip()

    @property
    def _what(self) -> str:
        match self.beside:
            case Beside.NOTHING:
                return f"{self.figure} of {self.subject}"
            case Beside.RATIO:
                return f"{self.figure} of {self.subject} ÷ {self.reference}"
            case Beside.SPEED:
                return f"{self.figure} of {self.reference} ÷ {self.subject}"
            case Beside.DIFFERENCE:
                return f"{self.figure} of {self.subject} - {self.reference}"

    def found(self, rounds: Mapping[str, Sequence[Figures]]) -> Spread | None:
        """What came of it over the rounds; None where nobody measured it."""
        ours = known(rounds.get(self.subject, ()), self.figure)
        theirs = known(rounds.get(self.reference, ()), self.figure)
        values = ours if self.beside is Beside.NOTHING else list(map(self._compared, ours, theirs))
        return Spread.over(values) if values else None

    def is_met(self, found: Spread) -> bool:
        enough = self.least is None or found.median >= self.least
        return enough and (self.most is None or found.median <= self.most)

    def _compared(self, ours: float, theirs: float) -> float:
        match self.beside:
            case Beside.SPEED:
                return theirs / ours
            case Beside.DIFFERENCE:
                return ours - theirs
            case _:
                return ours / theirs


def known(rounds: Sequence[Figures], figure: Figure) -> list[float]:
    """The values of one figure, without the rounds that do not have it."""
    return [value for figures in rounds if (value := figures.get(figure)) is not None]
