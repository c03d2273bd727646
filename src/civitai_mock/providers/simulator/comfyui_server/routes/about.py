"""What the server is and has: node definitions, system, features."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.domain.json import JsonObject
from civitai_mock.providers.simulator.comfyui_server.options import COMFYUI_VERSION
from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer, standin_of
from civitai_mock.providers.simulator.comfyui_server.talking import messages

GIBIBYTE = 1024**3
SYSTEM: JsonObject = {
    "os": "posix",
    "ram_total": 32 * GIBIBYTE,
    "ram_free": 24 * GIBIBYTE,
    "comfyui_version": COMFYUI_VERSION,
    "required_frontend_version": "1.27.10",
    "installed_templates_version": "0.1.95",
    "required_templates_version": "0.1.95",
    "python_version": "3.11 (civitai-mock stand-in)",
    "pytorch_version": "0.0 (simulated)",
    "embedded_python": False,
    "argv": ["main.py"],
}
DEVICE: JsonObject = {
    "name": "cuda:0 simulated",
    "type": "cuda",
    "index": 0,
    "vram_total": 24 * GIBIBYTE,
    "vram_free": 20 * GIBIBYTE,
    "torch_vram_total": 0,
    "torch_vram_free": 0,
}


async def object_info(request: Request) -> Response:
    workshop = standin_of(request).workshop
    return JsonAnswer({name: node.wire(workshop.listing) for name, node in workshop.definitions.items()})


async def object_info_of(request: Request) -> Response:
    """`{}` for a class that there is not."""
    workshop, name = standin_of(request).workshop, request.path_params["name"]
    node = workshop.definitions.get(name)
    return JsonAnswer({name: node.wire(workshop.listing)} if node else {})


async def system_stats(_: Request) -> Response:
    return JsonAnswer({"system": SYSTEM, "devices": [DEVICE]})


async def features(request: Request) -> Response:
    limit = standin_of(request).workshop.options.max_upload_bytes
    return JsonAnswer(messages.features(limit))


ROUTES: list[BaseRoute] = [
    Route("/object_info", object_info, methods=["GET"]),
    Route("/object_info/{name:segment}", object_info_of, methods=["GET"]),
    Route("/system_stats", system_stats, methods=["GET"]),
    Route("/features", features, methods=["GET"]),
]
