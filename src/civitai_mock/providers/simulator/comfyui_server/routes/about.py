"""What the server is and has: node definitions, system, features."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer, standin_of
from civitai_mock.providers.simulator.comfyui_server.talking import messages


async def object_info(request: Request) -> Response:
    workshop = standin_of(request).workshop
    return JsonAnswer({name: node.wire(workshop.listing) for name, node in workshop.definitions.items()})


async def object_info_of(request: Request) -> Response:
    """`{}` for a class that there is not."""
    workshop, name = standin_of(request).workshop, request.path_params["name"]
    node = workshop.definitions.get(name)
    return JsonAnswer({name: node.wire(workshop.listing)} if node else {})


async def system_stats(request: Request) -> Response:
    return JsonAnswer(standin_of(request).workshop.installation.system.wire)


async def features(request: Request) -> Response:
    limit = standin_of(request).workshop.options.told_upload_bytes
    return JsonAnswer(messages.features(limit))


ROUTES: list[BaseRoute] = [
    Route("/object_info", object_info, methods=["GET"]),
    Route("/object_info/{name:segment}", object_info_of, methods=["GET"]),
    Route("/system_stats", system_stats, methods=["GET"]),
    Route("/features", features, methods=["GET"]),
]
