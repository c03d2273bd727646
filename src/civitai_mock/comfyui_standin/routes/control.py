"""/standin: faults on command, what the server has, and what happened. A real ComfyUI has no such routes."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.faults import KINDS
from civitai_mock.comfyui_standin.routes.answers import JsonAnswer, empty, json_body, refused, standin_of
from civitai_mock.comfyui_standin.state.files import FOLDERS
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Show: TypeAlias = Callable[[Installation], Json]
Change: TypeAlias = Callable[[Installation, Any], None]


def _shown(show: Show) -> Handler:
    async def handle(request: Request) -> Response:
        return JsonAnswer(show(standin_of(request).workshop.installation))

    return handle


def _changed(change: Change, show: Show) -> Handler:
    """What is there after the change, or why it could not be made: then nothing has changed."""

    async def handle(request: Request) -> Response:
        installation = standin_of(request).workshop.installation
        try:
            change(installation, await json_body(request))
        except InvalidRequestError as error:
            return refused(error.message)
        except ValueError:
            return refused("The body is not JSON.")
        return JsonAnswer(show(installation))

    return handle


def _forgotten(forget: Callable[[Installation], None], show: Show) -> Handler:
    async def handle(request: Request) -> Response:
        installation = standin_of(request).workshop.installation
        forget(installation)
        return JsonAnswer(show(installation))

    return handle


def _routes(
    path: str, *, show: Show, add: Change, replace: Change, forget: Callable[[Installation], None]
) -> list[BaseRoute]:
    handlers = {
        "GET": _shown(show),
        "POST": _changed(add, show),
        "PUT": _changed(replace, show),
        "DELETE": _forgotten(forget, show),
    }
    return [Route(path, handler, methods=[method]) for method, handler in handlers.items()]


def installation_routes(prefix: str) -> list[BaseRoute]:
    return [
        *_routes(
            f"{prefix}/models",
            show=lambda there: {folder: [*names] for folder, names in there.models.told.items()},
            add=Installation.tell_models,
            replace=Installation.replace_models,
            forget=Installation.reset_models,
        ),
        *_routes(
            f"{prefix}/nodes",
            show=lambda there: there.nodes.told,
            add=Installation.tell_nodes,
            replace=Installation.replace_nodes,
            forget=Installation.reset_nodes,
        ),
        *_routes(
            f"{prefix}/system",
            show=lambda there: there.system.wire,
            add=Installation.tell_system,
            replace=Installation.replace_system,
            forget=Installation.reset_system,
        ),
    ]


async def get_facts(request: Request) -> Response:
    """Per prompt id, over all restarts: how often it was accepted and started, and how each run ended."""
    return JsonAnswer(standin_of(request).facts)


async def get_faults(request: Request) -> Response:
    return JsonAnswer(standin_of(request).faults.now.wire)


async def post_faults(request: Request) -> Response:
    """Takes what is to change: `{"deaf": true, "prompt_errors": 2}`."""
    faults = standin_of(request).faults
    try:
        changes = await json_body(request)
        if not isinstance(changes, dict):
            return refused(f"Send an object with any of {', '.join(KINDS)}.")
        faults.order(**changes)
    except InvalidRequestError as error:
        return refused(error.message)
    except ValueError:
        return refused("The body is not JSON.")
    return JsonAnswer(faults.now.wire)


async def delete_faults(request: Request) -> Response:
    standin_of(request).faults.lift()
    return empty()


async def post_restart(request: Request) -> Response:
    standin_of(request).restart()
    return empty()


async def post_drop_sockets(request: Request) -> Response:
    standin_of(request).drop_sockets()
    return empty()


async def post_forget_files(request: Request) -> Response:
    """Those of `?folder=`: output, input or temp."""
    folder = request.query_params.get("folder", "output")
    if folder not in FOLDERS:
        return refused(f"The folders are {', '.join(FOLDERS)}.")
    standin_of(request).forget_files(folder)
    return empty()


PREFIX = "/standin"
ROUTES: list[BaseRoute] = [
    Route(PREFIX, get_facts, methods=["GET"]),
    *installation_routes(PREFIX),
    Route(f"{PREFIX}/faults", get_faults, methods=["GET"]),
    Route(f"{PREFIX}/faults", post_faults, methods=["POST"]),
    Route(f"{PREFIX}/faults", delete_faults, methods=["DELETE"]),
    Route(f"{PREFIX}/restart", post_restart, methods=["POST"]),
    Route(f"{PREFIX}/drop_sockets", post_drop_sockets, methods=["POST"]),
    Route(f"{PREFIX}/forget_files", post_forget_files, methods=["POST"]),
]
