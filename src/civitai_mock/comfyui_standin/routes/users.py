"""Who uses the server, and their settings."""

import json
import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.answers import JsonAnswer, empty, json_body, standin_of, text, trouble
from civitai_mock.comfyui_standin.state.user_data import UserFiles

SETTINGS_FILE = "comfy.settings.json"
UNKNOWN_USER = text("401: Unauthorized", 401)


def files_of(request: Request) -> UserFiles:
    """Raise `KeyError` for a user who is not known."""
    return standin_of(request).workshop.user_data.of(request.headers.get("comfy-user"))


async def get_users(request: Request) -> Response:
    """`migrated` says that this server has a folder for its one user."""
    data = standin_of(request).workshop.user_data
    return JsonAnswer({"storage": "server", **({"users": data.users} if data.multi_user else {"migrated": True})})


async def post_users(request: Request) -> Response:
    users = standin_of(request).workshop.user_data.users
    try:
        name = (await json_body(request))["username"]
        if name in users.values():
            return JsonAnswer({"error": "Duplicate username."}, 400)
        trimmed = name.strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        return trouble()
    if not trimmed:
        return trouble()
    user_id = f"{re.sub('[^a-zA-Z0-9-_]+', '-', trimmed)}_{uuid.uuid4()}"
    users[user_id] = trimmed
    return JsonAnswer(user_id)


async def get_settings(request: Request) -> Response:
    try:
        return JsonAnswer(_read(files_of(request)))
    except KeyError:
        return UNKNOWN_USER


async def get_setting(request: Request) -> Response:
    """`null` for one that nobody has set."""
    try:
        settings, name = _read(files_of(request)), request.path_params["id"]
    except KeyError:
        return UNKNOWN_USER
    return JsonAnswer(settings.get(name) if isinstance(settings, dict) else None)


async def post_settings(request: Request) -> Response:
    return await _change(request, lambda settings, document: {**settings, **document})


async def post_setting(request: Request) -> Response:
    name = request.path_params["id"]
    return await _change(request, lambda settings, document: {**settings, name: document})


async def _change(request: Request, changed: Any) -> Response:
    try:
        files = files_of(request)
    except KeyError:
        return UNKNOWN_USER
    try:
        settings = changed(_read(files), await json_body(request))
    except (ValueError, TypeError):
        return trouble()
    content = json.dumps(settings, indent=4).encode()
    files.put(SETTINGS_FILE, content, now=standin_of(request).workshop.clock.now())
    return empty()


def _read(files: UserFiles) -> Any:
    """Whatever is in the settings file, which is one of the user's files; nothing if it is broken."""
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
