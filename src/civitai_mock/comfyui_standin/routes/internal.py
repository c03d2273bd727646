"""/internal: what ComfyUI's own web page asks for. These routes are not under /api."""

from collections.abc import Hashable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.messages import TERMINAL
from civitai_mock.comfyui_standin.routes.answers import JsonAnswer, empty, json_body, standin_of, trouble
from civitai_mock.comfyui_standin.state.files import FOLDERS

PREFIX = "/internal"


async def logs(request: Request) -> Response:
    return JsonAnswer(standin_of(request).life.log.text)


async def raw_logs(request: Request) -> Response:
    return JsonAnswer({"entries": [*standin_of(request).life.log.entries], "size": TERMINAL})


async def subscribe(request: Request) -> Response:
    """Each line from now on goes to the client's socket, as a message `logs`."""
    try:
        document = await json_body(request)
        client_id, is_wanted = document["clientId"], document["enabled"]
        if not isinstance(client_id, Hashable):
            return trouble()
    except (ValueError, LookupError, TypeError):
        return trouble()
    subscribers = standin_of(request).life.log.subscribers
    (subscribers.add if is_wanted else subscribers.discard)(client_id)
    return empty()


async def folder_paths(request: Request) -> Response:
    models = standin_of(request).workshop.models
    return JsonAnswer({folder: models.paths(folder) for folder in models.names})


async def files(request: Request) -> Response:
    """Names right in a folder, the newest first. A temp folder is there only once something is in it."""
    folder = request.path_params["folder"]
    if folder not in FOLDERS:
        return JsonAnswer({"error": "Invalid directory type"}, 400)
    names = standin_of(request).workshop.files.newest(folder)
    return trouble() if folder == "temp" and not names else JsonAnswer(names)


ROUTES: list[BaseRoute] = [
    Route(f"{PREFIX}/logs", logs, methods=["GET"]),
    Route(f"{PREFIX}/logs/raw", raw_logs, methods=["GET"]),
    Route(f"{PREFIX}/logs/subscribe", subscribe, methods=["PATCH"]),
    Route(f"{PREFIX}/folder_paths", folder_paths, methods=["GET"]),
    Route(f"{PREFIX}/files/{{folder:segment}}", files, methods=["GET"]),
]
