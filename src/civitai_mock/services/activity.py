"""Count what is at work in a namespace: time that is moved goes on only when everything has come to rest."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Final, TypeAlias

Rank: TypeAlias = tuple[datetime, str]


class Activity:
    """Counts who is at work in one namespace of a process.

    Whoever gives somebody work counts it at once, not when the other begins, so nothing rests between the two.
    """

    def __init__(self) -> None:
        self._count = 0
        self._rests = asyncio.Event()
        self._rests.set()

    @property
    def is_at_rest(self) -> bool:
        return self._count == 0

    def begin(self) -> None:
        self._count += 1
        if self._count == 1:
            self._rests.clear()

    def end(self) -> None:
        self._count -= 1
        if self._count == 0:
            self._rests.set()

    async def rest(self) -> None:
        """Return when nothing is at work."""
        while self._count:
            await self._rests.wait()


class Worker:
    """Is a task that counts as at work until `finish`, but not while it sleeps by the clock of its namespace.

    Of sleeps that end at the same time the one of the lowest `rank` ends first, whoever began first.
    """

    __slots__ = ("_activity", "_on_pause", "is_at_work", "rank")

    def __init__(self, activity: Activity, *, rank: Rank) -> None:
        self._activity = activity
        self._on_pause: Callable[[], None] | None = None
        self.is_at_work = False
        self.rank = rank
        self.resume()

    def call_at_pause(self, callback: Callable[[], None]) -> None:
        """Have a call made, once, when the worker, which is at work, sleeps or has finished."""
        self._on_pause = callback

    def pause(self) -> None:
        if self.is_at_work:
            self.is_at_work = False
            self._activity.end()
            callback, self._on_pause = self._on_pause, None
            if callback is not None:
                callback()

    def resume(self) -> None:
        if not self.is_at_work:
            self.is_at_work = True
            self._activity.begin()

    def finish(self) -> None:
        self.pause()


# The worker that the running task is, if it is one.
current_worker: Final[ContextVar[Worker | None]] = ContextVar("current_worker", default=None)


class Signal:
    """Wakes one loop, which counts as at work from `set` until it waits again."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._event = asyncio.Event()
        self._is_at_work = False
        self._is_closed = False

    def set(self) -> None:
        if not self._is_closed and not self._event.is_set():
            self._event.set()
            self._activity.begin()

    def close(self) -> None:
        """Wake nobody any more, as the loop has ended."""
        self._is_closed = True
        for is_counted in (self._is_at_work, self._event.is_set()):
            if is_counted:
                self._activity.end()
        self._is_at_work = False
        self._event.clear()

    async def wait(self) -> None:
        """Return when `set` is called, or at once if it was called since the last return."""
        if self._is_at_work:
            self._is_at_work = False
            self._activity.end()
        await self._event.wait()
        self._event.clear()
        self._is_at_work = True
