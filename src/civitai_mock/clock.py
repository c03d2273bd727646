"""Clocks and ids: those of the machine, and those of a world whose time is moved and whose dice are known."""

import asyncio
import heapq
import random
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from itertools import count


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that stands still until `advance` moves it; whoever sleeps by it takes no real time."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move on, and wake the sleepers that are due by then: the earliest first, and of equals who slept first."""
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class RandomIds:
    """Ids and seeds that nobody can foresee."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def seed(self) -> int:
        return secrets.randbits(32)


class SeededIds:
    """Ids and seeds that are the same in each run with the same `seed`."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def seed(self) -> int:
        return self._random.getrandbits(32)
