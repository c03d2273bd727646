"""Publish progress events: at most one per job and interval, and 20 per second in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from civitai_mock.domain.errors import ClaimLost, MockError
from civitai_mock.ports import Clock

logger = structlog.stdlib.get_logger()

MOST_PER_SECOND = 20


class ProgressSource(Protocol):
    """What there may be to tell of one job."""

    def has_come(self) -> bool:
        """Whether anything has changed since it was told."""
        ...

    async def tell(self) -> None: ...


@dataclass(slots=True, kw_only=True, eq=False)
class Reporting:
    """One job's place in the round; `context` is that of its log lines."""

    news: ProgressSource
    context: Context = field(default_factory=copy_context)
    telling: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """What goes wrong with mere news is logged; a claim that is lost is for its lease to find out."""
        self.telling = asyncio.create_task(self._tell(), name="progress", context=self.context)
        await asyncio.wait({self.telling})

    def break_off(self) -> None:
        if self.telling is not None:
            self.telling.cancel()

    async def over(self) -> None:
        """A write that has begun is waited for: the job's next one builds on it."""
        if self.telling is not None:
            try:
                await asyncio.wait({self.telling})
            except asyncio.CancelledError:
                self.break_off()
                raise

    async def _tell(self) -> None:
        try:
            await self.news.tell()
        except ClaimLost:
            logger.info("claim lost while progress was told")
        except MockError as error:
            logger.warning("progress not told", error=error.message)
        except Exception:
            logger.exception("progress not told")


class ProgressReporter:
    """Each job once an interval at most, and all of them together so many times a second, however many there are."""

    def __init__(self, *, clock: Clock, interval: timedelta) -> None:
        """No interval: nothing is told."""
        self._clock = clock
        self._seconds = interval.total_seconds()
        self._turns: dict[Reporting, None] = {}

    async def run(self) -> None:
        while self._seconds:
            await self._clock.sleep(self._seconds)
            for turn in tuple(self._turns):
                if turn in self._turns and self._has_news(turn):
                    await turn.take()
                    await self._clock.sleep(1 / MOST_PER_SECOND)

    @asynccontextmanager
    async def during(self, news: ProgressSource) -> AsyncIterator[None]:
        """Tell the news until the block is left; nothing is told afterwards."""
        turn = Reporting(news=news)
        self._turns[turn] = None
        try:
            yield
        except asyncio.CancelledError:
            turn.break_off()
            raise
        finally:
            del self._turns[turn]
            await turn.over()

    def _has_news(self, turn: Reporting) -> bool:
        """A bug in one job's news must not end those of all others."""
        try:
            return turn.news.has_come()
        except Exception:
            logger.exception("progress not known")
            return False
