"""Put together what one scrape of the metrics reads."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from civitai_mock.bootstrap.runtime import DISTRIBUTION, Runtime
from civitai_mock.ports import Clock, Metrics
from civitai_mock.services.backlog import ReadBacklog
from civitai_mock.telemetry.readings import Readings


def make_scrape(
    runtime: Runtime, read_backlog: ReadBacklog, *, clock: Clock, runs_jobs: bool
) -> Callable[[], Awaitable[bytes]]:
    """Return what answers a scrape; prometheus-client is imported for the first one, in a thread as what it does."""

    async def scrape() -> bytes:
        readings = Readings(
            version=version(DISTRIBUTION),
            now=clock.now(),
            jobs_in_flight=runtime.metrics.jobs_in_flight(),
            backlog=await read_backlog(),
            workers=runtime.provider.workers,
            counts_prompts=runs_jobs,
            namespaces=runtime.metrics.namespaces(),
        )
        return await asyncio.to_thread(_expose, runtime.metrics, readings)

    return scrape


def _expose(metrics: Metrics, readings: Readings) -> bytes:
    from civitai_mock.telemetry.metrics import expose

    return expose(metrics, readings)
