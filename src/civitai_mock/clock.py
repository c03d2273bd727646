"""Clocks, and sources of ids and seeds: some are of the machine, a test or a namespace controls the others."""

import asyncio
import heapq
import os
import random
import secrets
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

EARLIEST = 0.0015  # by how many seconds uvloop may call too early: it rounds to milliseconds, from the last whole one


class SystemClock:
    """Shows the time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + EARLIEST if seconds > 0 else 0)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds + EARLIEST, callback)


class VirtualTimer:
    """Is a call that a virtual clock will make."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def call(self) -> None:
        if self._callback is not None:
            self._callback()


class VirtualClock:
    """Stands still until `advance` moves it; a sleep by it lasts until then, and takes no time itself."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._order = count()
        self._timers: list[tuple[datetime, int, VirtualTimer]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self.call_later(seconds, partial(_wake, woken))
        await woken

    def call_later(self, seconds: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(callback)
        heapq.heappush(self._timers, (self._now + timedelta(seconds=seconds), next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move on, and make the calls whose time has come: the earliest first, then in the order of the asking."""
        self._now += timedelta(seconds=seconds)
        while self._timers and self._timers[0][0] <= self._now:
            heapq.heappop(self._timers)[2].call()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


# RFC 9562, version 4: the digit of the variant keeps two bits of the one that was drawn.
VARIANT_DIGITS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
DIGITS = 32

DRAWN_AT_ONCE = 64
_ids: list[str] = []  # of all instances in this process
_seeds: list[int] = []
if hasattr(os, "register_at_fork"):  # as on all systems that can fork; both processes would give out the same
    os.register_at_fork(after_in_child=_ids.clear)
    os.register_at_fork(after_in_child=_seeds.clear)


class RandomIds:
    """Gives ids and seeds that nobody can foresee.

    They are drawn by the dozen: to ask the system for random bytes takes longer than all else about them.
    """

    is_seeded = False

    def uuid(self) -> str:
        try:
            return _ids.pop()
        except IndexError:
            first, *others = _draw_uuids()
            _ids.extend(others)
            return first

    def seed(self) -> int:
        try:
            return _seeds.pop()
        except IndexError:
            first, *others = _draw_seeds()
            _seeds.extend(others)
            return first

    async def of_request(self, content: Callable[[], bytes]) -> "RandomIds":  # noqa: ARG002 - nothing depends on it
        return self

    def of_job(self, job_id: str, purpose: str) -> "RandomIds":  # noqa: ARG002 - as above
        return self


class SeededIds:
    """Gives the same ids and seeds again, in the same order, for the same `seed`."""

    is_seeded = False  # as they depend on the order of those who draw

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def uuid(self) -> str:
        return _uuid_text(f"{self._random.getrandbits(128):0{DIGITS}x}")

    def seed(self) -> int:
        return self._random.getrandbits(32)

    async def of_request(self, content: Callable[[], bytes]) -> "SeededIds":  # noqa: ARG002 - nothing depends on it
        return self

    def of_job(self, job_id: str, purpose: str) -> "SeededIds":  # noqa: ARG002 - as above
        return self


def _draw_uuids() -> list[str]:
    block = secrets.token_hex(DIGITS // 2 * DRAWN_AT_ONCE)
    return [_uuid_text(block[at : at + DIGITS]) for at in range(0, len(block), DIGITS)]


def _draw_seeds() -> list[int]:
    """Draw numbers of 32 bits."""
    return array("I", secrets.token_bytes(array("I").itemsize * DRAWN_AT_ONCE)).tolist()


def _uuid_text(digits: str) -> str:
    """Return what `str(uuid.UUID(digits, version=4))` does, in a fifth of its time."""
    variant = VARIANT_DIGITS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
