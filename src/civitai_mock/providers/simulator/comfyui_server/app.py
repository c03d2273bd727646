"""The stand-in as an ASGI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from civitai_mock.ports import Clock
from civitai_mock.providers.simulator.comfyui_server.middleware import Gate
from civitai_mock.providers.simulator.comfyui_server.options import Draw, Models, StandinOptions
from civitai_mock.providers.simulator.comfyui_server.routes import (
    about,
    management,
    prompt,
    queue,
    socket,
    upload,
    view,
)
from civitai_mock.providers.simulator.comfyui_server.routes.answers import empty, not_allowed, nothing_there
from civitai_mock.providers.simulator.comfyui_server.standin import Standin

DEFAULT_OPTIONS = StandinOptions()
COMFYUI_ROUTES: list[BaseRoute] = [
    route for module in (prompt, queue, view, upload, about, socket) for route in module.ROUTES
]


def make_standin(*, clock: Clock, models: Models, draw: Draw, options: StandinOptions = DEFAULT_OPTIONS) -> Starlette:
    """`app.state.standin` takes commands while the app runs; serve it without WebSocket pings, as ComfyUI is."""
    standin = Standin(clock=clock, models=models, draw=draw, options=options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        standin.start()
        try:
            yield
        finally:
            standin.stop()

    app = Starlette(
        routes=[*COMFYUI_ROUTES, *management.ROUTES, Mount("/api", routes=COMFYUI_ROUTES)],
        middleware=[Middleware(Gate, standin=standin)],
        exception_handlers={HTTPException: on_http_error},
        lifespan=lifespan,
    )
    app.state.standin = standin
    return app


async def on_http_error(request: Request, error: Exception) -> Response:
    """Paths and methods that ComfyUI has not; behind all its routes are the files of its web page."""
    is_known = isinstance(error, HTTPException) and error.status_code == 405
    if request.method == "OPTIONS":
        return empty()
    if request.method in {"GET", "HEAD"}:
        return nothing_there()
    allowed = {"GET", "HEAD"} | (_methods(request) if is_known else set())
    return not_allowed(",".join(sorted(allowed)))


def _methods(request: Request) -> set[str]:
    """Of all routes with this path: Starlette's own list covers only the first."""
    path = request.url.path.removeprefix("/api")
    return {
        method
        for route in COMFYUI_ROUTES
        if (regex := getattr(route, "path_regex", None)) and regex.match(path)
        for method in getattr(route, "methods", None) or ()
    }
