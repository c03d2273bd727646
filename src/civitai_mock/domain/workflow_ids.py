"""Ids of workflows: `<userId>-<yyyyMMddHHmmssfff>`, the user's number and the time of the submission (captures)."""

import re
from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)
MILLISECONDS_A_DAY = 86_400_000
MOST_REMEMBERED = 1024
DIGITS_AT_END = re.compile(r"[0-9]*$", re.ASCII)


def user_number(consumer: str) -> int:
    """Return the number of a consumer like `civitai-1000001`."""
    digits = DIGITS_AT_END.search(consumer)
    return int(digits[0]) if digits and digits[0] else 0


class WorkflowIds:
    """Gives each workflow of a user another millisecond: one after the last that this process gave, or its own time.

    Processes do not know each other's ids. One whose id is taken already tries again, a greater step on each time.
    """

    def __init__(self) -> None:
        self._last: dict[int, datetime] = {}

    def next_id(self, consumer: str, *, at: datetime, attempt: int = 0) -> str:
        user, stamp = user_number(consumer), _to_millisecond(at)
        last = self._last.get(user)
        if last is not None and last >= stamp:
            stamp = last + MILLISECOND
        stamp += (2**attempt - 1) * MILLISECOND
        self._remember(user, stamp)
        return f"{user}-{_digits(stamp)}"

    def drawn_id(self, consumer: str, *, at: datetime, seed: int) -> str:
        """Return an id with the day of `at`, whose last digits, the time of the day, are drawn instead."""
        midnight = _to_millisecond(at).replace(hour=0, minute=0, second=0, microsecond=0)
        return f"{user_number(consumer)}-{_digits(midnight + seed % MILLISECONDS_A_DAY * MILLISECOND)}"

    def _remember(self, user: int, stamp: datetime) -> None:
        """Forget users whose last id is older than this one: their next ids are later anyway, unless time goes back."""
        self._last[user] = stamp
        if len(self._last) > MOST_REMEMBERED:
            self._last = {other: last for other, last in self._last.items() if last >= stamp}


def _digits(stamp: datetime) -> str:
    """Print `yyyyMMddHHmmssfff`, which takes a fifth of the time of `strftime`."""
    day = f"{stamp.year:04d}{stamp.month:02d}{stamp.day:02d}"
    return f"{day}{stamp.hour:02d}{stamp.minute:02d}{stamp.second:02d}{stamp.microsecond // 1000:03d}"


def _to_millisecond(at: datetime) -> datetime:
    moment = at.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
