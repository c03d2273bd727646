"""The ASGI app of a stand-in: its routes with and without /api, and its answers to unknown paths."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Router

from civitai_mock.comfyui_standin.middleware import RequestRules
from civitai_mock.comfyui_standin.routes import (
    control,
    files,
    internal,
    models,
    prompts,
    server_info,
    socket,
    user_files,
    users_and_settings,
)
from civitai_mock.comfyui_standin.routes.responses import empty, method_not_allowed, page_file_not_found, text
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.services.origin_policy import OriginPolicy

API = "/api"
MODULES = (prompts, files, models, users_and_settings, user_files, server_info, socket)
COMFYUI_ROUTES: list[BaseRoute] = [route for module in MODULES for route in module.ROUTES]
ALL_ROUTES: list[BaseRoute] = [*COMFYUI_ROUTES, *server_info.PAGE_FILES, *internal.ROUTES, *control.ROUTES]


def make_app(standin: Standin, *, command_origins: OriginPolicy) -> Starlette:
    """Return the app, with the stand-in as `app.state.standin`; serve it without WebSocket pings, as ComfyUI does.

    `command_origins` says by which names, and from which web pages, /standin may be called.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        standin.start()
        try:
            yield
        finally:
            standin.stop()

    app = Starlette(
        routes=[*ALL_ROUTES, Mount(API, app=Router(COMFYUI_ROUTES, redirect_slashes=False))],
        middleware=[Middleware(RequestRules, standin=standin, command_origins=command_origins)],
        exception_handlers={HTTPException: on_http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.standin = standin
    return app


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer paths and methods that ComfyUI does not know; its last route serves the files of its web page."""
    path, is_known = request.scope["path"], isinstance(error, HTTPException) and error.status_code == 405
    if request.method == "OPTIONS":
        return empty()
    if path == internal.PREFIX or path.startswith(f"{internal.PREFIX}/"):
        return method_not_allowed(_allowed_methods(path)) if is_known else text("404: Not Found", 404)
    if request.method in {"GET", "HEAD"}:
        return page_file_not_found()
    return method_not_allowed({"GET", "HEAD"} | (_allowed_methods(path) if is_known else set()))


def _allowed_methods(path: str) -> set[str]:
    """Return the methods of all routes with this path; Starlette's own list covers only the first."""
    inner = path.removeprefix(API)
    return {
        method
        for route in ALL_ROUTES
        if (regex := getattr(route, "path_regex", None)) and regex.match(inner)
        for method in getattr(route, "methods", None) or ()
    }
