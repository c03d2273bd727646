"""Limit how much memory the bodies of all requests take together: many slow clients could fill it otherwise."""

from types import TracebackType
from typing import Self

from civitai_mock.domain.errors import MockError


class TooManyBodiesError(MockError):
    """The bodies of other requests take all of MAX_BODIES_BYTES (503)."""

    code = "too_many_bodies"


class BodyBudget:
    """Counts the bytes of the bodies that arrive or are parsed now, and holds them at `most`.

    One body alone is always admitted: MAX_BODY_BYTES limits it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def held(self) -> "Share":
        """Return the share of one body, which is given back at the end of a `with`."""
        return Share(self)


class Share:
    """Is what one body has of the budget."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._budget.taken -= self._size

    def grow(self, size: int) -> None:
        """Take so many bytes more; raise `TooManyBodiesError` if others have taken them."""
        budget = self._budget
        if budget.taken + size > budget.most and budget.taken > self._size:
            raise TooManyBodiesError("The bodies of other requests take all the room there is. Try again.")
        budget.taken += size
        self._size += size

    def shrink(self, size: int) -> None:
        """Give so many bytes back."""
        self._budget.taken -= size
        self._size -= size
