"""Ids of workflows: `<userId>-<yyyyMMddHHmmssfff>`, the user's number and the time of the submission (captures)."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from civitai_mock.domain.micros import UNIX_EPOCH

MILLISECOND = timedelta(milliseconds=1)
MILLISECONDS_A_DAY = 86_400_000
MOST_REMEMBERED = 1024
DIGITS_AT_END = re.compile(r"[0-9]*$", re.ASCII)


@lru_cache(maxsize=MOST_REMEMBERED)
def user_number(consumer: str) -> int:
    """Return the number of a consumer like `civitai-1000001`."""
    digits = DIGITS_AT_END.search(consumer)
    return int(digits[0]) if digits and digits[0] else 0


class WorkflowIds:
    """Gives each workflow of a user another millisecond: one after the last that this process gave, or its own time.

    Processes do not know each other's ids. One whose id is taken already tries again, a greater step on each time.
    """

    def __init__(self) -> None:
        self._last: dict[int, int] = {}  # milliseconds since 1970

    def next_id(self, consumer: str, *, at: datetime, attempt: int = 0) -> str:
        user, stamp = user_number(consumer), (at - UNIX_EPOCH) // MILLISECOND
        last = self._last.get(user)
        if last is not None and last >= stamp:
            stamp = last + 1
        stamp += 2**attempt - 1
        self._remember(user, stamp)
        return _printed(user, stamp)

    def drawn_id(self, consumer: str, *, at: datetime, seed: int) -> str:
        """Return an id with the day of `at`, whose last digits, the time of the day, are drawn instead."""
        midnight = (at - UNIX_EPOCH) // MILLISECOND // MILLISECONDS_A_DAY * MILLISECONDS_A_DAY
        return _printed(user_number(consumer), midnight + seed % MILLISECONDS_A_DAY)

    def _remember(self, user: int, stamp: int) -> None:
        """Forget users whose last id is older than this one: their next ids are later anyway, unless time goes back."""
        self._last[user] = stamp
        if len(self._last) > MOST_REMEMBERED:
            self._last = {other: last for other, last in self._last.items() if last >= stamp}


def _printed(user: int, stamp: int) -> str:
    seconds, milliseconds = divmod(stamp, 1000)
    return f"{user}-{_digits(seconds)}{milliseconds:03d}"


@lru_cache(maxsize=16)
def _digits(seconds: int) -> str:
    """Print `yyyyMMddHHmmss`; ids of a second share it, as making one takes longer than all else of an id."""
    return f"{UNIX_EPOCH + timedelta(seconds=seconds):%Y%m%d%H%M%S}"
