"""What the server is and has: node definitions, models, system."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.domain.json import JsonObject
from civitai_mock.providers.simulator.comfyui_server.options import COMFYUI_VERSION
from civitai_mock.providers.simulator.comfyui_server.routes.answers import (
    JsonAnswer,
    empty,
    standin_of,
)

MODEL_FOLDERS = (
    "checkpoints", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "style_models", "embeddings",
    "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models", "hypernetworks", "photomaker", "classifiers",
    "model_patches", "audio_encoders",
)  # fmt: skip
GIBIBYTE = 1024**3
SYSTEM: JsonObject = {
    "os": "posix",
    "ram_total": 32 * GIBIBYTE,
    "ram_free": 24 * GIBIBYTE,
    "comfyui_version": COMFYUI_VERSION,
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


async def model_folders(_: Request) -> Response:
    return JsonAnswer(MODEL_FOLDERS)


async def models(request: Request) -> Response:
    folder = request.path_params["folder"]
    if folder not in MODEL_FOLDERS:
        return empty(404)
    return JsonAnswer(standin_of(request).workshop.listing(folder))


async def embeddings(request: Request) -> Response:
    """Names as they are written in prompt texts, without their endings."""
    names = standin_of(request).workshop.listing("embeddings")
    return JsonAnswer([name.rpartition(".")[0] or name for name in names])


async def view_metadata(_: Request) -> Response:
    """The stand-in's model files have none."""
    return empty(404)


async def features(request: Request) -> Response:
    limit = standin_of(request).workshop.options.max_upload_bytes
    return JsonAnswer({"supports_preview_metadata": True, "max_upload_size": limit})


ROUTES: list[BaseRoute] = [
    Route("/object_info", object_info, methods=["GET"]),
    Route("/object_info/{name:path}", object_info_of, methods=["GET"]),
    Route("/system_stats", system_stats, methods=["GET"]),
    Route("/models", model_folders, methods=["GET"]),
    Route("/models/{folder}", models, methods=["GET"]),
    Route("/embeddings", embeddings, methods=["GET"]),
    Route("/view_metadata/{folder}", view_metadata, methods=["GET"]),
    Route("/features", features, methods=["GET"]),
]
