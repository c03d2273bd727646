"""Receivers that did not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from civitai_mock.domain.errors import MockError

MOST = 1000  # then all are forgotten, at the price of one attempt in vain for each


class NotDeliveredError(MockError):
    """An attempt in vain; `status` is that of the answer, if there was one."""

    code = "not_delivered"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.status = status


class Absentees:
    """A receiver that did not answer last time is tried by one attempt at a time, so that others have room.

    The rest count as attempts in vain at once: they would have waited for the same silence.
    """

    def __init__(self) -> None:
        self._absent: set[str] = set()
        self._tried: set[str] = set()

    @contextmanager
    def attempt(self, place: str) -> Iterator[None]:
        """Raise `NotDeliveredError` in the place of an attempt that is not worth its time."""
        if place in self._absent & self._tried:
            raise NotDeliveredError("the receiver does not answer")
        self._tried.add(place)
        try:
            yield
        except NotDeliveredError as error:
            self._note(place, absent=error.status is None)
            raise
        else:
            self._note(place, absent=False)
        finally:
            self._tried.discard(place)

    def _note(self, place: str, *, absent: bool) -> None:
        if not absent:
            self._absent.discard(place)
            return
        if len(self._absent) >= MOST:
            self._absent.clear()
        self._absent.add(place)
