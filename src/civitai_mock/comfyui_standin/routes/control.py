"""The routes /standin, which only a stand-in has: faults on command, what is installed, and what happened."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.faults import FAULT_TYPES
from civitai_mock.comfyui_standin.routes.responses import (
    ComfyJsonResponse,
    Handler,
    command_refused,
    empty,
    json_body,
    standin_of,
)
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.files import FOLDERS
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.domain.errors import InvalidRequestError, NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject

PREFIX = "/standin"
NOT_JSON = "The body is not JSON."
RULE_MEMBERS = frozenset({"preset", "action", "match"})

Show: TypeAlias = Callable[[Installation], Json]
ChangeInstallation: TypeAlias = Callable[[Installation, Any], None]
Reset: TypeAlias = Callable[[Installation], None]


async def get_facts(request: Request) -> Response:
    """Return, over all restarts, how often each prompt was accepted and started, and how each run ended."""
    return ComfyJsonResponse(standin_of(request).facts)


async def get_faults(request: Request) -> Response:
    """Return what goes wrong, and the rules that have set it."""
    return ComfyJsonResponse(_shown(standin_of(request)))


def _shown(standin: Standin) -> JsonObject:
    return {**standin.faults.current.wire, "items": [*standin.rules.items()]}


async def post_faults(request: Request) -> Response:
    """Change some faults: `{"deaf": true, "prompt_errors": 2}`, or add a rule in the words of the control plane."""
    standin = standin_of(request)
    try:
        changes = await json_body(request)
        if isinstance(changes, dict) and not RULE_MEMBERS.isdisjoint(changes):
            return ComfyJsonResponse(standin.rules.add(changes), HTTPStatus.CREATED)
        if not isinstance(changes, dict):
            return command_refused(f"The body must be an object with any of {', '.join(FAULT_TYPES)}.")
        standin.faults.set(**changes)
    except InvalidRequestError as error:
        return command_refused(error.message if not error.errors else _told(error))
    except ValueError:
        return command_refused(NOT_JSON)
    return ComfyJsonResponse(_shown(standin))


def _told(error: InvalidRequestError) -> str:
    """Return all faults of a rule, each with its path."""
    return " ".join(f"{path}: {message}" for path, messages in error.errors.items() for message in messages)


async def delete_faults(request: Request) -> Response:
    standin_of(request).rules.clear()
    return empty()


async def get_rule(request: Request) -> Response:
    try:
        return ComfyJsonResponse(standin_of(request).rules.get(request.path_params["id"]))
    except NotFoundError as error:
        return command_refused(error.message, status=HTTPStatus.NOT_FOUND)


async def delete_rule(request: Request) -> Response:
    try:
        standin_of(request).rules.remove(request.path_params["id"])
    except NotFoundError as error:
        return command_refused(error.message, status=HTTPStatus.NOT_FOUND)
    return empty()


async def post_restart(request: Request) -> Response:
    standin_of(request).restart()
    return empty()


async def post_drop_sockets(request: Request) -> Response:
    standin_of(request).drop_sockets()
    return empty()


async def post_forget_files(request: Request) -> Response:
    """Empty the folder `?folder=`: output (the default), input or temp."""
    folder = request.query_params.get("folder", "output")
    if folder not in FOLDERS:
        return command_refused(f"folder must be one of {', '.join(FOLDERS)}; found '{folder[:100]}'.")
    standin_of(request).forget_files(folder)
    return empty()


def _installation_routes(
    path: str, *, show: Show, add: ChangeInstallation, replace: ChangeInstallation, reset: Reset
) -> list[BaseRoute]:
    handlers = {
        "GET": _get(show),
        "POST": _change(add, show),
        "PUT": _change(replace, show),
        "DELETE": _reset(reset, show),
    }
    return [Route(f"{PREFIX}/{path}", handler, methods=[method]) for method, handler in handlers.items()]


def _get(show: Show) -> Handler:
    async def handle(request: Request) -> Response:
        return ComfyJsonResponse(show(standin_of(request).state.installation))

    return handle


def _change(change: ChangeInstallation, show: Show) -> Handler:
    """Make a handler that answers what is there after the change; a change that is refused changes nothing."""

    async def handle(request: Request) -> Response:
        installation = standin_of(request).state.installation
        try:
            change(installation, await json_body(request))
        except InvalidRequestError as error:
            return command_refused(error.message)
        except ValueError:
            return command_refused(NOT_JSON)
        return ComfyJsonResponse(show(installation))

    return handle


def _reset(reset: Reset, show: Show) -> Handler:
    async def handle(request: Request) -> Response:
        installation = standin_of(request).state.installation
        reset(installation)
        return ComfyJsonResponse(show(installation))

    return handle


ROUTES: list[BaseRoute] = [
    Route(PREFIX, get_facts, methods=["GET"]),
    *_installation_routes(
        "models",
        show=lambda installation: {folder: [*names] for folder, names in installation.models.all_names.items()},
        add=Installation.add_models,
        replace=Installation.replace_models,
        reset=Installation.reset_models,
    ),
    *_installation_routes(
        "nodes",
        show=lambda installation: installation.nodes.added,
        add=Installation.add_nodes,
        replace=Installation.replace_nodes,
        reset=Installation.reset_nodes,
    ),
    *_installation_routes(
        "system",
        show=lambda installation: installation.system.wire,
        add=lambda installation, document: installation.system.change(document),
        replace=lambda installation, document: installation.system.replace(document),
        reset=lambda installation: installation.system.reset(),
    ),
    Route(f"{PREFIX}/faults", get_faults, methods=["GET"]),
    Route(f"{PREFIX}/faults", post_faults, methods=["POST"]),
    Route(f"{PREFIX}/faults", delete_faults, methods=["DELETE"]),
    Route(f"{PREFIX}/faults/{{id}}", get_rule, methods=["GET"]),
    Route(f"{PREFIX}/faults/{{id}}", delete_rule, methods=["DELETE"]),
    Route(f"{PREFIX}/restart", post_restart, methods=["POST"]),
    Route(f"{PREFIX}/drop_sockets", post_drop_sockets, methods=["POST"]),
    Route(f"{PREFIX}/forget_files", post_forget_files, methods=["POST"]),
]
