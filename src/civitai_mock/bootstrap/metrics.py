"""Put together what one scrape of the metrics reads."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from civitai_mock.bootstrap.runtime import DISTRIBUTION, Runtime
from civitai_mock.ports import Clock
from civitai_mock.services.backlog import ReadBacklog


def make_scrape(runtime: Runtime, *, clock: Clock, runs_jobs: bool) -> Callable[[], Awaitable[bytes]]:
    """Return what answers a scrape; prometheus-client is imported for the first one."""
    read_backlog = ReadBacklog(queue=runtime.stores.queue)

    async def scrape() -> bytes:
        from civitai_mock.telemetry.metrics import Readings, expose

        readings = Readings(
            version=version(DISTRIBUTION),
            now=clock.now(),
            backlog=await read_backlog(),
            workers=runtime.provider.workers,
            counts_prompts=runs_jobs,
        )
        return expose(runtime.metrics, readings)

    return scrape
