"""Run jobs without serving anything, and give signs of life for the health check."""

import argparse
import asyncio
import time
from datetime import timedelta

import structlog

from civitai_mock.bootstrap.namespace import make_namespace
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.cli.running import run_until_done, status_of, stop_in_good_order
from civitai_mock.cli.runtime import Note, leaving_note
from civitai_mock.cli.stop import Stop
from civitai_mock.domain.errors import MockError
from civitai_mock.ports import StoreHealth
from civitai_mock.scheduler.scheduler import Scheduler
from civitai_mock.settings import Settings

BEAT_SECONDS = 2.0
STUCK_SECONDS = 15.0  # no store takes so long for a claim

logger = structlog.stdlib.get_logger()


def schedule(settings: Settings, _: argparse.Namespace, stop: Stop) -> int:
    return status_of(run_until_done(_schedule(settings, stop)))


async def _schedule(settings: Settings, stop: Stop) -> int:
    """How many jobs were not given back."""
    async with open_runtime(settings) as runtime:
        scheduler = make_scheduler(make_namespace(runtime))
        loop = asyncio.get_running_loop()

        def begin_stop() -> None:
            loop.call_soon_threadsafe(scheduler.stop)

        running = asyncio.create_task(scheduler.run(), name="scheduler")
        stop_in_good_order(
            stop,
            begin_stop,
            grace=timedelta(milliseconds=settings.shutdown_grace_ms),
            jobs_left=lambda: scheduler.jobs_left if running.done() else None,
        )
        logger.info("ready", store=runtime.stores.health.description, provider=runtime.provider.description)
        heart = Heart(scheduler=scheduler, store=runtime.stores.health, port=settings.port)
        await heart.beat_while(running)
    return scheduler.jobs_left


class Heart:
    """Notes every other second that the event loop runs, and whether the store answers."""

    def __init__(self, *, scheduler: Scheduler, store: StoreHealth, port: int) -> None:
        self._scheduler = scheduler
        self._store = store
        self._port = port

    async def beat_while(self, running: "asyncio.Task[None]") -> None:
        """Until it is done; raise what it raises."""
        with leaving_note(self._content("the store was not asked yet")) as note:
            if not note.is_kept:
                logger.warning("no folder for signs of life; the health check will not see this scheduler")
            beating = asyncio.create_task(self._beat(note), name="heart")
            try:
                await running
            finally:
                beating.cancel()

    async def _beat(self, note: Note) -> None:
        while True:
            note.write(self._content(await self._fault()))
            await asyncio.sleep(BEAT_SECONDS)

    async def _fault(self) -> str:
        if self._scheduler.claiming_for > STUCK_SECONDS:
            return f"claiming jobs has taken {self._scheduler.claiming_for:.0f} s so far"
        try:
            await self._store.ping()
        except MockError as error:
            return error.message
        return ""

    def _content(self, fault: str) -> dict[str, object]:
        return {
            "command": "scheduler",
            "port": self._port,
            "asked_at": None,
            "beat": time.monotonic(),
            "fault": fault,
        }
