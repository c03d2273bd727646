"""How the clock of a namespace goes: as that of the machine, not at all, or faster or slower."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from civitai_mock.domain.dataclass import dataclass

# Between these, lifetimes can be added to dates and taken from them.
EARLIEST_DATE = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_DATE = datetime(9000, 1, 1, tzinfo=UTC)
SLOWEST, FASTEST = 0.001, 100_000.0


class ClockMode(StrEnum):
    """Names how a clock goes."""

    REAL = "real"
    FROZEN = "frozen"
    SCALED = "scaled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """Says what time it is in a namespace: `at` when it is `since` for the machine, and on from there at the `rate`.

    In mode `real` the two are the same, always.
    """

    mode: ClockMode
    at: datetime = EARLIEST_DATE
    since: datetime = EARLIEST_DATE
    rate: float = 1.0

    def now(self, real: datetime) -> datetime:
        """Return the time of the namespace when it is `real` for the machine; never after `LATEST_DATE`."""
        if self.mode is ClockMode.REAL:
            return real
        if self.mode is ClockMode.FROZEN:
            return self.at
        try:
            return min(self.at + (real - self.since) * self.rate, LATEST_DATE)
        except OverflowError:
            return LATEST_DATE

    def seconds_until(self, moment: datetime, real: datetime) -> float | None:
        """Return how long the machine has to wait for a time of the namespace; None if it does not come by itself."""
        if self.mode is ClockMode.FROZEN:
            return None
        return (moment - self.now(real)).total_seconds() / self.rate

    def moved_to(self, moment: datetime, real: datetime) -> Self:
        """Return how the clock goes on from another time; one that was real goes on as fast as before."""
        mode = ClockMode.SCALED if self.mode is ClockMode.REAL else self.mode
        return replace(self, mode=mode, at=moment, since=real)


REAL = ClockState(mode=ClockMode.REAL)


def frozen(at: datetime) -> ClockState:
    return ClockState(mode=ClockMode.FROZEN, at=at)


def is_date(moment: datetime) -> bool:
    """Return whether a namespace may have this time."""
    return EARLIEST_DATE <= moment <= LATEST_DATE


def added(moment: datetime, duration: timedelta) -> datetime:
    """Return a time so much later, but at most one that no namespace may have."""
    try:
        return moment + duration
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
