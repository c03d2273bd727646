"""Tell what a fleet costs while somebody follows its namespace: when it has changed, and once a second at most."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.ports import Clock
from civitai_mock.services.error_boundary import ErrorBoundary

SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSource:
    """Says whether there `is_fleet` at present, and returns what it has cost."""

    is_fleet: Callable[[], bool]
    read: Callable[[], Awaitable[JsonObject]]


@dataclass(slots=True, kw_only=True)
class TellCosts:
    """Tells costs as long as `is_heard`; `clock` is the real one."""

    source: CostSource
    clock: Clock
    is_heard: Callable[[], bool]
    tell: Callable[[JsonObject], None]
    _telling: asyncio.Task[None] | None = field(default=None, init=False)

    def begin(self) -> None:
        """Tell them from now on, if there is a fleet and somebody hears it."""
        if self.is_heard() and self.source.is_fleet() and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell(), name="costs of a fleet")

    def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        told: JsonObject = {}
        while self.source.is_fleet():
            with ErrorBoundary("costs not told"):
                found = await self.source.read()
                if found != told:
                    told = found
                    self.tell(found)
            await self.clock.sleep(SECONDS)
