"""Publish progress events: at most one per job and interval, and 20 per second in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from dataclasses import field
from datetime import timedelta
from typing import Protocol

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ClaimLost, MockError
from civitai_mock.ports import Clock

logger = structlog.stdlib.get_logger()

MOST_PER_SECOND = 20


class ProgressSource(Protocol):
    """Knows the progress of one job, and how to publish it."""

    def has_changed(self) -> bool:
        """Return whether there is progress that was not published yet."""
        ...

    async def publish(self) -> None: ...


class ProgressReporter:
    """Publishes the progress of many jobs in turns; with an interval of zero it publishes nothing."""

    def __init__(self, *, clock: Clock, interval: timedelta) -> None:
        self._clock = clock
        self._seconds = interval.total_seconds()
        self._reportings: dict[Reporting, None] = {}

    async def run(self) -> None:
        while self._seconds:
            await self._clock.sleep(self._seconds)
            for reporting in tuple(self._reportings):
                if reporting in self._reportings and reporting.has_changed():
                    await reporting.publish()
                    await self._clock.sleep(1 / MOST_PER_SECOND)

    @asynccontextmanager
    async def reporting(self, source: ProgressSource) -> AsyncIterator[None]:
        """Publish the progress of the source until the block is left, and nothing afterwards."""
        reporting = Reporting(source=source)
        self._reportings[reporting] = None
        try:
            yield
        except asyncio.CancelledError:
            reporting.cancel()
            raise
        finally:
            del self._reportings[reporting]
            await reporting.finish()


@dataclass(slots=True, kw_only=True, eq=False)
class Reporting:
    """Publishes for one job while its work goes on; `context` is the one of the job's log lines."""

    source: ProgressSource
    context: Context = field(default_factory=copy_context)
    publishing: asyncio.Task[None] | None = None

    def has_changed(self) -> bool:
        """Return False after a bug in one job's source, which must not keep the others from being published."""
        try:
            return self.source.has_changed()
        except Exception:
            logger.exception("progress not known")
            return False

    async def publish(self) -> None:
        """Publish once, in the job's own log context."""
        self.publishing = asyncio.create_task(self._publish(), name="progress", context=self.context)
        await asyncio.wait({self.publishing})

    def cancel(self) -> None:
        if self.publishing is not None:
            self.publishing.cancel()

    async def finish(self) -> None:
        """Wait for a write that has begun: the job's next one builds on it."""
        if self.publishing is not None:
            try:
                await asyncio.wait({self.publishing})
            except asyncio.CancelledError:
                self.cancel()
                raise

    async def _publish(self) -> None:
        """Log what goes wrong, and do no more: the renewal of its lease finds out that a claim is lost."""
        try:
            await self.source.publish()
        except ClaimLost:
            logger.info("claim lost while progress was published")
        except MockError as error:
            logger.warning("progress not published", error=error.message)
        except Exception:
            logger.exception("progress not published")
