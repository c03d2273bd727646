"""The routes /users and /settings: who uses the server, and the settings of each user."""

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.responses import (
    ComfyJsonResponse,
    empty,
    json_body,
    server_error,
    standin_of,
    text,
)
from civitai_mock.comfyui_standin.state.user_data import UserFiles
from civitai_mock.domain.json_types import JsonObject

SETTINGS_FILE = "comfy.settings.json"
UNKNOWN_USER = text("401: Unauthorized", 401)


def files_of(request: Request) -> UserFiles:
    """Return the files of the user who sent the request; raise `KeyError` for an unknown user."""
    return standin_of(request).state.user_data.files_of(request.headers.get("comfy-user"))


async def get_users(request: Request) -> Response:
    """List the users; `migrated` says that this server has a folder for its one user."""
    data = standin_of(request).state.user_data
    return ComfyJsonResponse(
        {"storage": "server", **({"users": data.users} if data.multi_user else {"migrated": True})}
    )


async def post_users(request: Request) -> Response:
    users = standin_of(request).state.user_data.users
    try:
        name = (await json_body(request))["username"]
        if name in users.values():
            return ComfyJsonResponse({"error": "Duplicate username."}, 400)
        trimmed = name.strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        return server_error()
    if not trimmed:
        return server_error()
    user_id = f"{re.sub('[^a-zA-Z0-9-_]+', '-', trimmed)}_{uuid.uuid4()}"
    users[user_id] = trimmed
    return ComfyJsonResponse(user_id)


async def get_settings(request: Request) -> Response:
    try:
        return ComfyJsonResponse(_read_settings(files_of(request)))
    except KeyError:
        return UNKNOWN_USER


async def get_setting(request: Request) -> Response:
    """Return one setting, or `null` if nobody has set it."""
    try:
        settings, name = _read_settings(files_of(request)), request.path_params["id"]
    except KeyError:
        return UNKNOWN_USER
    return ComfyJsonResponse(settings.get(name) if isinstance(settings, dict) else None)


async def post_settings(request: Request) -> Response:
    return await _change_settings(request, lambda settings, document: {**settings, **document})


async def post_setting(request: Request) -> Response:
    name = request.path_params["id"]
    return await _change_settings(request, lambda settings, document: {**settings, name: document})


async def _change_settings(request: Request, change: Callable[[Any, Any], JsonObject]) -> Response:
    try:
        files = files_of(request)
    except KeyError:
        return UNKNOWN_USER
    try:
        settings = change(_read_settings(files), await json_body(request))
    except (ValueError, TypeError):
        return server_error()
    content = json.dumps(settings, indent=4).encode()
    files.put(SETTINGS_FILE, content, now=standin_of(request).state.clock.now())
    return empty()


def _read_settings(files: UserFiles) -> Any:
    """Return the JSON of the settings file, which is one of the user's files; an empty object if it is broken."""
    file = files.get(SETTINGS_FILE)
    try:
        return json.loads(file.content) if file else {}
    except ValueError:
        return {}


ROUTES: list[BaseRoute] = [
    Route("/users", get_users, methods=["GET"]),
    Route("/users", post_users, methods=["POST"]),
    Route("/settings", get_settings, methods=["GET"]),
    Route("/settings", post_settings, methods=["POST"]),
    Route("/settings/{id:segment}", get_setting, methods=["GET"]),
    Route("/settings/{id:segment}", post_setting, methods=["POST"]),
]
