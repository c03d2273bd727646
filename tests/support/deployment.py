"""Serve as one process, or as two for the API and two that run jobs, on one store, all in this event loop."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from civitai_mock.bootstrap.application import Application
from civitai_mock.bootstrap.namespaces import Namespaces, open_namespaces
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.settings import Settings
from tests.support.mongo import emptied_address
from tests.support.patience import patient_processes
from tests.support.served_app import BASE_URL, make_settings

MONOLITH, PROCESSES_ON_SQLITE, PROCESSES_ON_MONGO = "monolith", "processes on SQLite", "processes on MongoDB"
LAYOUTS = (MONOLITH, PROCESSES_ON_SQLITE, PROCESSES_ON_MONGO)
API_PROCESSES = SCHEDULERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Is a server as its users see it: `client` asks all processes of the API in turn.

    `apis` has them one by one, and `schedulers` the namespaces of those that run jobs.
    """

    client: httpx.AsyncClient
    apis: tuple[Application, ...]
    schedulers: tuple[Namespaces, ...]


class InTurn(httpx.AsyncBaseTransport):
    """Sends each request to the next of several apps."""

    def __init__(self, apps: list[Application]) -> None:
        self._next = cycle([httpx.ASGITransport(application.app) for application in apps])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await next(self._next).handle_async_request(request)


@asynccontextmanager
async def deployed(layout: str, folder: Path, **changes: Any) -> AsyncIterator[Deployment]:
    """Open one with an empty store; those on SQLite have their file in `folder`."""
    async with AsyncExitStack() as stack:
        stack.enter_context(patient_processes())
        settings = await _settings(stack, layout, folder, changes)
        if layout == MONOLITH:
            apis, schedulers = [Application(settings)], []
        else:
            apis = [Application(settings, with_scheduler=False) for _ in range(API_PROCESSES)]
            schedulers = [await stack.enter_async_context(_scheduler(settings)) for _ in range(SCHEDULERS)]
        for application in apis:
            await stack.enter_async_context(application.app.router.lifespan_context(application.app))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=InTurn(apis), base_url=BASE_URL))
        yield Deployment(client=client, apis=tuple(apis), schedulers=tuple(schedulers))


async def _settings(stack: AsyncExitStack, layout: str, folder: Path, changes: dict[str, Any]) -> Settings:
    usual: dict[str, Any] = {"missing_resources": "lenient", "seed_resources": False, "scheduler_poll_ms": 50}
    if layout == PROCESSES_ON_SQLITE:
        usual |= {"mongodb_uri": None, "data_dir": folder / "store"}
    if layout == PROCESSES_ON_MONGO:
        address = await stack.enter_async_context(emptied_address())
        usual |= {"mongodb_uri": address.uri, "mongodb_db_name": address.database}
    return make_settings(**usual, **changes)


@asynccontextmanager
async def _scheduler(settings: Settings) -> AsyncIterator[Namespaces]:
    async with open_runtime(settings) as runtime, open_namespaces(runtime, runs_jobs=True) as namespaces:
        yield namespaces
