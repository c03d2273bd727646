"""Remember what was read of small bodies that are sent again and again."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_REMEMBERED, MOST_SEEN = 64, 256


class RepeatedBodies(Generic[T]):
    """Remembers what `read` makes of the last bodies that came more than once.

    Tests, load generators and pollers send the same body again, and get the same values, which nobody may change. One
    that comes for the first time costs no more than a hash: to remember it as well would take 5 % of a submission.
    """

    def __init__(self, read: Callable[..., T]) -> None:
        """Have bodies read by `read`, whose arguments are those of `find`."""
        self._read = lru_cache(MOST_REMEMBERED)(read)
        self._seen: dict[int, None] = {}  # hashes: of two bodies that share one, the second is remembered a time early

    def find(self, body: bytes, *others: Hashable) -> T | None:
        """Return what the body comes to, with whatever else that depends on; None if it has not come lately.

        Raise what `read` does.
        """
        number = hash(body)
        if number in self._seen:
            return self._read(body, *others)
        self._seen[number] = None
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return None
