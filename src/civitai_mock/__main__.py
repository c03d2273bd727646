"""The command `civitai-mock`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import structlog

from civitai_mock.domain.errors import MockError
from civitai_mock.settings import Settings, SettingsError
from civitai_mock.telemetry import configure_logging

HEALTH_SECONDS = 3.0
COMFYUI_PORT = 8188
MONOLITH = "monolith"  # what runs without a command
REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - looked up, not bound
APP_FACTORY = {True: "civitai_mock.bootstrap:create_app", False: "civitai_mock.bootstrap:create_api_app"}

if TYPE_CHECKING:
    from fastapi import FastAPI

logger = structlog.stdlib.get_logger()


def main() -> None:
    """Exit status 2 is for settings that cannot work, 1 for everything else that stops a start."""
    arguments = _parser().parse_args()
    try:
        settings = Settings.load()
        configure_logging(json=settings.logs_json, level=settings.log_level)
        sys.exit(COMMANDS[arguments.command or MONOLITH](settings, arguments))
    except SettingsError as error:
        sys.exit(_refuse(str(error), status=2))
    except MockError as error:
        sys.exit(_refuse(error.message, status=1))


def _refuse(message: str, *, status: int) -> int:
    sys.stderr.write("".join(f"civitai-mock: {line}\n" for line in message.splitlines()))
    return status


def _monolith(settings: Settings, arguments: argparse.Namespace) -> int:
    return _serve(settings, with_scheduler=True, reload=arguments.reload)


def _api(settings: Settings, arguments: argparse.Namespace) -> int:
    return _serve(settings, with_scheduler=False, reload=arguments.reload)


def _serve(settings: Settings, *, with_scheduler: bool, reload: bool) -> int:
    from civitai_mock.api.server import Server, listen, serve_reloading
    from civitai_mock.bootstrap import create_app

    if reload:
        serve_reloading(APP_FACTORY[with_scheduler], host=settings.host, port=settings.port)
        return 0
    app = create_app(settings, with_scheduler=with_scheduler)
    address = f"http://{_reachable(settings.host)}:{settings.port}"
    server = Server(
        app,
        on_ready=lambda: logger.info(
            "ready", listen=address, store=app.state.store, provider=app.state.provider, docs=f"{address}/docs"
        ),
        on_stop=lambda: _begin_stop(app),
    )
    server.run(sockets=[listen(settings.host, settings.port)])
    if app.state.failure is not None:
        raise app.state.failure
    return 0


def _begin_stop(app: "FastAPI") -> None:
    """The lifespan puts the scheduler's own way to stop there once it runs."""
    app.state.begin_stop()


def _scheduler(settings: Settings, _: argparse.Namespace) -> int:
    asyncio.run(_schedule(settings))
    return 0


async def _schedule(settings: Settings) -> None:
    from civitai_mock.bootstrap import make_scheduler, open_parts

    async with open_parts(settings) as parts:
        scheduler = make_scheduler(parts)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: loop.call_soon_threadsafe(scheduler.stop))
        logger.info("ready", store=parts.stores.health.description, provider=parts.provider.description)
        await scheduler.run()


def _comfyui(settings: Settings, arguments: argparse.Namespace) -> int:
    from civitai_mock.api.server import Server, listen
    from civitai_mock.bootstrap import create_comfyui

    address = f"http://{_reachable(settings.host)}:{arguments.port}"
    server = Server(
        create_comfyui(settings),
        on_ready=lambda: logger.info("ready", listen=address, stands_in_for="ComfyUI"),
        on_stop=lambda: None,
    )
    server.run(sockets=[listen(settings.host, arguments.port)])
    return 0


def _seed(settings: Settings, _: argparse.Namespace) -> int:
    added, known = asyncio.run(_load_catalogue(settings))
    sys.stdout.write(f"{added} resources added, {known} were there already\n")
    return 0


async def _load_catalogue(settings: Settings) -> tuple[int, int]:
    from civitai_mock.bootstrap import open_stores, read_catalogue
    from civitai_mock.services.resources import ManageResources

    catalogue = read_catalogue()
    async with open_stores(settings) as stores:
        added = await ManageResources(resources=stores.resources).seed(catalogue)
    return added, len(catalogue) - added


def _healthcheck(settings: Settings, _: argparse.Namespace) -> int:
    url = f"http://{_reachable(settings.host)}:{settings.port}/health"
    try:
        with urlopen(url, timeout=HEALTH_SECONDS) as answer:
            healthy = answer.status == 200
    except (URLError, TimeoutError, ConnectionError) as error:
        return _refuse(f"{url}: {error}", status=1)
    return 0 if healthy else 1


def _reachable(host: str) -> str:
    return REACHABLE.get(host, f"[{host}]" if ":" in host else host)


Command = Callable[[Settings, argparse.Namespace], int]
COMMANDS: Mapping[str, Command] = {
    MONOLITH: _monolith,
    "api": _api,
    "scheduler": _scheduler,
    "comfyui": _comfyui,
    "seed": _seed,
    "healthcheck": _healthcheck,
}


def _parser() -> argparse.ArgumentParser:
    serving = argparse.ArgumentParser(add_help=False)
    serving.add_argument("--reload", action="store_true", help="restart when the source changes")
    parser = argparse.ArgumentParser(
        prog="civitai-mock",
        description="A local stand-in for Civitai's generation orchestrator.",
        epilog="Without a command: API and scheduler in one process. Settings come from the environment and .env.",
        parents=[serving],
    )
    parser.add_argument("--version", action="version", version=version("civitai-mock"))
    commands = parser.add_subparsers(title="commands", dest="command", metavar="")
    commands.add_parser("api", help="serve HTTP only", parents=[serving])
    commands.add_parser("scheduler", help="run jobs only")
    comfyui = commands.add_parser("comfyui", help="serve a stand-in for ComfyUI, to test its clients against")
    comfyui.add_argument("--port", type=int, default=COMFYUI_PORT, help=f"default {COMFYUI_PORT}")
    commands.add_parser("seed", help="add the built-in resources to the store")
    commands.add_parser("healthcheck", help="exit 0 if the API on PORT is healthy, 1 if not")
    return parser


if __name__ == "__main__":
    main()
