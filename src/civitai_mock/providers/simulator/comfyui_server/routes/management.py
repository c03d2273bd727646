"""/standin: faults on command, what the server has, and what happened. A real ComfyUI has no such routes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.providers.simulator.comfyui_server.faults import KINDS
from civitai_mock.providers.simulator.comfyui_server.keeping.files import FOLDERS
from civitai_mock.providers.simulator.comfyui_server.routes import installation
from civitai_mock.providers.simulator.comfyui_server.routes.answers import (
    JsonAnswer,
    empty,
    json_body,
    refused,
    standin_of,
)


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
    *installation.routes(PREFIX),
    Route(f"{PREFIX}/faults", get_faults, methods=["GET"]),
    Route(f"{PREFIX}/faults", post_faults, methods=["POST"]),
    Route(f"{PREFIX}/faults", delete_faults, methods=["DELETE"]),
    Route(f"{PREFIX}/restart", post_restart, methods=["POST"]),
    Route(f"{PREFIX}/drop_sockets", post_drop_sockets, methods=["POST"]),
    Route(f"{PREFIX}/forget_files", post_forget_files, methods=["POST"]),
]
