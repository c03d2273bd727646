"""/standin/models, /standin/nodes and /standin/system: what this installation has, told in ComfyUI's own shapes.

GET tells what is there, POST adds to it, PUT replaces all that was told, DELETE goes back to how it was at the start.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json
from civitai_mock.providers.simulator.comfyui_server.installation import Installation
from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer, json_body, refused, standin_of

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


def routes(prefix: str) -> list[BaseRoute]:
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
