"""The threads in which calls of the driver run, and the line before them, in which nobody waits for a lost server."""

import asyncio
import contextvars
import math
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from motor.frameworks import asyncio as motor_asyncio
from motor.metaprogramming import create_class_with_framework
from pymongo.errors import AutoReconnect

from civitai_mock.domain.dataclass import dataclass

T = TypeVar("T")

THREADS = 5 * (os.cpu_count() or 1)  # as many as Motor's own pool has
LOOK_SECONDS = 0.75  # in which the driver, which looks for a server every half second, finds one that is back
TICK_SECONDS = 0.05
REFUSAL = "the server is away, and another call looks for it"

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call in the line, since when it is there, and the future that its caller has."""

    call: Call
    since: float
    outcome: asyncio.Future[Any]


class DriverThreads:
    """Runs calls in threads, and lets those that find none free wait for their turn.

    Motor has one pool with an endless line: while the server is away, each call keeps a thread until the driver stops
    looking for it (3 s by default), so that the last of 300 calls failed after 135 s (now 6). Here all wait for as
    long as it may take a replica set to choose another primary. Then one call at a time looks for the server, and the
    others fail within a second, with an error that a lost connection could have raised.

    To Motor this is a framework, as its asyncio module is one.
    """

    def __init__(self, *, is_away: Callable[[], bool], patience: float = math.inf, threads: int = THREADS) -> None:
        """`patience` says for how many seconds a server has to be away before calls are refused."""
        self.patience = patience
        self._is_away = is_away
        self._most = threads
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="mongo")
        self._running = 0
        self._line: deque[_Waiting] = deque()
        self._away_since: float | None = None
        self._tick: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(motor_asyncio, name)

    def used_by(self, cls: T) -> T:
        """Return a class of Motor whose objects, and all that they make, use these threads."""
        made: T = create_class_with_framework(cls, self, "motor.motor_asyncio")
        return made

    def close(self) -> None:
        """Wait for nothing: a server that hangs must not hold up the end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def run_on_executor(
        self, loop: asyncio.AbstractEventLoop, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        """Return the future of a call, as Motor asks for it."""
        call = partial(contextvars.copy_context().run, function, *args, **kwargs)
        if not self._line and self._running < self._room():
            return self._start(loop, call)
        waiting = _Waiting(call, time.monotonic(), loop.create_future())
        self._line.append(waiting)
        self._look_after_line(loop)
        return waiting.outcome

    def _room(self) -> int:
        """Return how many calls may run: a server that has been away for a while is looked for by one."""
        return 1 if self._has_been_away() else self._most

    def _has_been_away(self) -> bool:
        now = time.monotonic()
        if not self._is_away():
            self._away_since = None
        elif self._away_since is None:
            self._away_since = now
        return self._away_since is not None and now - self._away_since >= self.patience

    def _start(self, loop: asyncio.AbstractEventLoop, call: Call) -> asyncio.Future[Any]:
        def ended(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._go_on, loop)

        self._running += 1
        running = self._threads.submit(call)
        running.add_done_callback(ended)
        return asyncio.wrap_future(running, loop=loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take notice of a call that has ended."""
        self._running -= 1
        self._serve_line(loop)

    def _serve_line(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start what there is room for; refuse what has waited for too long while the server is away."""
        if not self._line:
            return
        room, is_away, now = self._room(), self._has_been_away(), time.monotonic()
        while self._line:
            first = self._line[0]
            if not first.outcome.done():  # else its caller was cancelled
                if is_away and now - first.since >= LOOK_SECONDS:
                    first.outcome.set_exception(AutoReconnect(REFUSAL))
                elif self._running < room:
                    self._start(loop, first.call).add_done_callback(partial(_copy, first.outcome))
                else:
                    break
            self._line.popleft()
        self._look_after_line(loop)

    def _look_after_line(self, loop: asyncio.AbstractEventLoop) -> None:
        """Come back to the line soon while the server is away, as no call may end for a while."""
        if self._line and self._tick is None and self._has_been_away():
            self._tick = loop.call_later(TICK_SECONDS, self._on_tick, loop)

    def _on_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._tick = None
        self._serve_line(loop)


def _copy(outcome: asyncio.Future[Any], ended: asyncio.Future[Any]) -> None:
    """Hand the outcome on, unless its caller is gone; asyncio would report an error that nobody has looked at."""
    error = None if ended.cancelled() else ended.exception()
    if outcome.done():
        return
    if ended.cancelled():
        outcome.cancel()
    elif error is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(ended.result())
