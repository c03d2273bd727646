"""The routes /internal, which ComfyUI's own web page uses; they are not under /api."""

from collections.abc import Hashable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.messages import TERMINAL_SIZE
from civitai_mock.comfyui_standin.routes.responses import ComfyJsonResponse, empty, json_body, server_error, standin_of
from civitai_mock.comfyui_standin.state.files import FOLDERS

PREFIX = "/internal"


async def get_log_text(request: Request) -> Response:
    return ComfyJsonResponse(standin_of(request).life.log.text)


async def get_log_entries(request: Request) -> Response:
    return ComfyJsonResponse({"entries": [*standin_of(request).life.log.entries], "size": TERMINAL_SIZE})


async def subscribe_to_log(request: Request) -> Response:
    """Send each further line to the client's socket as a message `logs`, or stop to do so."""
    try:
        document = await json_body(request)
        client_id, is_enabled = document["clientId"], document["enabled"]
        if not isinstance(client_id, Hashable):
            return server_error()
    except (ValueError, LookupError, TypeError):
        return server_error()
    subscribers = standin_of(request).life.log.subscribers
    (subscribers.add if is_enabled else subscribers.discard)(client_id)
    return empty()


async def get_folder_paths(request: Request) -> Response:
    models = standin_of(request).state.models
    return ComfyJsonResponse({folder: models.directories_of(folder) for folder in models.folders})


async def list_files(request: Request) -> Response:
    """List the files right in a folder, the newest first; a temp folder exists only once something is in it."""
    folder = request.path_params["folder"]
    if folder not in FOLDERS:
        return ComfyJsonResponse({"error": "Invalid directory type"}, 400)
    names = standin_of(request).state.files.newest(folder)
    return server_error() if folder == "temp" and not names else ComfyJsonResponse(names)


ROUTES: list[BaseRoute] = [
    Route(f"{PREFIX}/logs", get_log_text, methods=["GET"]),
    Route(f"{PREFIX}/logs/raw", get_log_entries, methods=["GET"]),
    Route(f"{PREFIX}/logs/subscribe", subscribe_to_log, methods=["PATCH"]),
    Route(f"{PREFIX}/folder_paths", get_folder_paths, methods=["GET"]),
    Route(f"{PREFIX}/files/{{folder:segment}}", list_files, methods=["GET"]),
]
