"""How long to wait before another attempt."""

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=5)
MOST_DOUBLINGS = 16


def pause_after(failures: int, *, dice: float) -> timedelta:
    """Doubles with each failure; `dice`, from 0 to 1, spreads it between half of that and all of it."""
    doublings = min(failures - 1, MOST_DOUBLINGS)
    whole = min(FIRST * (1 << doublings), LONGEST)
    return whole * (0.5 + dice / 2)
