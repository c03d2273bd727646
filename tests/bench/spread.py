"""The statistics of rounds: median and range, and what may be told from the ratios of two revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Self

FEWEST_ROUNDS = 6
SMALL = 0.05
ROUNDS_FOR_SMALL = 20
TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Spread:
    """What one figure was over all rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def over(cls, values: Sequence[float]) -> Self:
        return cls(median(values), min(values), max(values))


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Where the true median is in at least 95 % of cases, whatever the values are spread like (sign test).

    It is None for fewer than FEWEST_ROUNDS values, as not even their whole range is sure enough.
    """
    rounds, rank, tail = len(values), 0, 0.0
    while (tail := tail + comb(rounds, rank) / 2**rounds) <= TAIL:
        rank += 1
    ordered = sorted(values)
    return (ordered[rank - 1], ordered[-rank]) if rank else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one revision differs from another in one figure, as shares: 0.1 is 10 % more.

    `lowest` and `highest` bound the 95 % interval, or with too few rounds for one the range.
    """

    median: float
    lowest: float
    highest: float
    rounds: int

    @classmethod
    def between(cls, ours: Sequence[float], theirs: Sequence[float]) -> Self:
        """The values of one place in both belong to one round, so that what changes with time touches both."""
        shares = [mine / other - 1 for mine, other in zip(ours, theirs, strict=True)]
        lowest, highest = median_interval(shares) or (min(shares), max(shares))
        return cls(median=median(shares), lowest=lowest, highest=highest, rounds=len(shares))

    @property
    def is_told(self) -> bool:
        """There is an interval, all of it is on one side, and what is small comes from many rounds."""
        if self.rounds < FEWEST_ROUNDS or self.lowest <= 0 <= self.highest:
            return False
        return abs(self.median) >= SMALL or self.rounds >= ROUNDS_FOR_SMALL

    @property
    def text(self) -> str:
        bounds = f"{self.lowest:+.1%} to {self.highest:+.1%}"
        if self.is_told:
            return f"{self.median:+.1%} ({bounds})"
        if self.rounds < ROUNDS_FOR_SMALL:
            return f"no difference told from {self.rounds} rounds ({bounds}); {ROUNDS_FOR_SMALL} rounds tell more"
        return f"no difference told ({bounds})"
