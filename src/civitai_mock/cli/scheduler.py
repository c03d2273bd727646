"""The command `scheduler`: it runs jobs, writes a heartbeat for the health check, and serves metrics where asked to."""

import argparse
import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from civitai_mock.bootstrap.namespaces import Namespaces, open_namespaces
from civitai_mock.bootstrap.runtime import loading_rest, open_runtime
from civitai_mock.cli.event_loop import exit_status, run_until_done, stop_in_good_order
from civitai_mock.cli.health_files import HealthFile, HealthReport, keep_health_file
from civitai_mock.cli.process import Stop
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.ports import StoreHealth
from civitai_mock.serving.address import interfaces_of
from civitai_mock.serving.server import Server, listen
from civitai_mock.settings import Settings

BEAT_SECONDS = 2.0

logger = structlog.stdlib.get_logger()


def run_scheduler(settings: Settings, _: argparse.Namespace, stop: Stop) -> int:
    port = settings.metrics_port
    listeners = [] if port is None else [listen(host, port) for host in interfaces_of(settings.host)]
    return exit_status(run_until_done(_run_scheduler(settings, stop, listeners)))


async def _run_scheduler(settings: Settings, stop: Stop, listeners: list[socket.socket]) -> int:
    """Run until it is stopped; return how many jobs were not given back."""
    async with (
        open_runtime(settings) as runtime,
        loading_rest(),
        open_namespaces(runtime, runs_jobs=True) as namespaces,
    ):
        loop = asyncio.get_running_loop()

        def begin_stop() -> None:
            loop.call_soon_threadsafe(namespaces.stop)

        stop_in_good_order(
            stop,
            begin_stop,
            grace=timedelta(milliseconds=settings.shutdown_grace_ms),
            jobs_left=lambda: namespaces.jobs_left,
        )
        logger.info("ready", store=runtime.stores.health.description, provider=runtime.provider.description)
        heartbeat = Heartbeat(namespaces=namespaces, store=runtime.stores.health, port=settings.port)
        async with _serving_metrics(namespaces, listeners):
            await heartbeat.run_beside(namespaces.wait_until_stopped())
    return namespaces.jobs_left or 0


@asynccontextmanager
async def _serving_metrics(namespaces: Namespaces, listeners: list[socket.socket]) -> AsyncIterator[None]:
    """Answer health and metrics until the end of the block, if there are sockets for it."""
    if not listeners:
        yield
        return
    from civitai_mock.bootstrap.application import make_system_app

    server = Server(make_system_app(namespaces), grace=timedelta(0), on_ready=lambda: None, on_stop=lambda: None)
    serving = asyncio.create_task(server.serve(sockets=listeners), name="health and metrics")
    try:
        yield
    finally:
        server.begin_stop()
        await serving


class Heartbeat:
    """Writes every other second that the event loop runs, and whether the store answers."""

    def __init__(self, *, namespaces: Namespaces, store: StoreHealth, port: int) -> None:
        self._namespaces = namespaces
        self._store = store
        self._port = port

    async def run_beside(self, running: Awaitable[None]) -> None:
        """Beat until `running` is done; raise what it raises."""
        with keep_health_file(self._report("the store was not asked yet")) as file:
            if not file.is_kept:
                logger.warning("no folder for signs of life; the health check will not see this scheduler")
            beating = asyncio.create_task(self._run(file), name="heart")
            try:
                await running
            finally:
                beating.cancel()

    async def _run(self, file: HealthFile) -> None:
        while True:
            file.write(self._report(await self._find_fault()))
            await asyncio.sleep(BEAT_SECONDS)

    async def _find_fault(self) -> str:
        if fault := self._namespaces.fault_of(DEFAULT):
            return fault
        try:
            await self._store.ping()
        except MockError as error:
            return error.message
        return ""

    def _report(self, fault: str) -> HealthReport:
        return {
            "command": "scheduler",
            "port": self._port,
            "asked_at": None,
            "beat": time.monotonic(),
            "fault": fault,
        }
