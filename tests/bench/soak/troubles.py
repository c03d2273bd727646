"""What is done to the processes and to their store, drawn from a seed."""

import asyncio
import time
from dataclasses import dataclass
from random import Random

from tests.bench.soak.processes import API, LEASE_MS, Site
from tests.bench.soak.stores import SoakedStore

PAUSE_SECONDS = (0.5, 4.0)
AWAY_SECONDS = (0.5, 8.0)
FROZEN_SECONDS = 1.5 * LEASE_MS / 1000
SHARE_OF_KILLS_WHILE_AWAY = 0.3
SETTLE_SECONDS = 1.0  # in which an answer may still be about what was before
TROUBLES = ("kill", "kill", "kill", "restart", "freeze", "store away", "store away")
MILD_TROUBLES = ("store away",)


@dataclass(kw_only=True)
class Troubles:
    """`api_was_hit_at` is until when the API may fail to answer a GET."""

    site: Site
    store: SoakedStore
    rng: Random
    api_was_hit_at: float = 0.0

    async def run(self, seconds: float, *, are_mild: bool) -> None:
        """Make trouble for so long, and see the last one through; mild trouble kills no process."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            await asyncio.sleep(min(self.rng.uniform(*PAUSE_SECONDS), left))
            trouble = self.rng.choice(MILD_TROUBLES if are_mild else TROUBLES)
            if trouble == "store away":
                await self._take_store_away(are_mild=are_mild)
            else:
                await self._hit(trouble, self.rng.choice(list(self.site.commands)))

    def is_reading_owed(self, since: float) -> bool:
        """Return whether a GET that began at `since` had to be answered: the API lives, and its store can be read."""
        return self.store.reads_while_away and since - self.api_was_hit_at > SETTLE_SECONDS

    async def _hit(self, trouble: str, name: str) -> None:
        if name == API:
            self.api_was_hit_at = time.monotonic() + FROZEN_SECONDS
        if trouble == "kill":
            self.site.kill(name)
        elif trouble == "restart":
            await self.site.restart(name)
        else:
            await self.site.freeze(name, FROZEN_SECONDS)

    async def _take_store_away(self, *, are_mild: bool) -> None:
        self.site.counts["store taken away"] += 1
        seconds, kills = self.rng.uniform(*AWAY_SECONDS), self.rng.random() < SHARE_OF_KILLS_WHILE_AWAY
        async with self.store.away():
            self.site.note_store_away()
            await asyncio.sleep(seconds / 2)
            if kills and not are_mild:
                await self._hit("kill", self.rng.choice(list(self.site.commands)))
            await asyncio.sleep(seconds / 2)
            self.site.note_store_away()
        self.site.note_store_away()
