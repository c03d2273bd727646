"""Measure how late the event loop is: whatever runs on it waits as long, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from civitai_mock.ports import Metrics

INTERVAL_SECONDS = 0.5


@asynccontextmanager
async def measuring_lag(metrics: Metrics) -> AsyncIterator[None]:
    """Measure until the end of the block."""
    measuring = asyncio.create_task(_measure(metrics), name="event loop lag")
    try:
        yield
    finally:
        measuring.cancel()


async def _measure(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        metrics.loop_lags.observe((), max(loop.time() - due, 0.0))
