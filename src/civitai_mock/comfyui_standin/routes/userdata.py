"""/userdata: the files that clients keep on the server for their users, such as workflows."""

import posixpath
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.answers import (
    JsonAnswer,
    empty,
    file_answer,
    file_headers,
    forbidden_file,
    standin_of,
    text,
    trouble,
)
from civitai_mock.comfyui_standin.routes.users import files_of
from civitai_mock.comfyui_standin.state.user_data import UnusablePathError, UserFile, UserFiles
from civitai_mock.domain.json_types import Json, JsonObject

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
WithFiles: TypeAlias = Callable[[Request, UserFiles], Awaitable[Response]]


def for_user(handler: WithFiles, *, unknown: Response) -> Handler:
    """A handler that gets the user's files; `unknown` is the answer to somebody who is not known."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request, files_of(request))
        except KeyError:
            return unknown
        except UnusablePathError:
            return trouble()

    return handle


async def list_files(request: Request, files: UserFiles) -> Response:
    """Names below `dir`, split into their parts or with all that is known if asked for."""
    folder = request.query_params.get("dir", "")
    if not folder:
        return text("Directory not provided", 400)
    path = files.locate(folder)
    if path is None:
        return text("Invalid directory", 403)
    files.make_parent(path)
    if not files.exists(path):
        return text("Directory not found", 404)
    found = files.within(path, recurse=_is_asked(request, "recurse"))
    return JsonAnswer([_listed(request, name, file) for name, file in found])


def _listed(request: Request, name: str, file: UserFile) -> Json:
    if _is_asked(request, "full_info"):
        return _info(name, file)
    return [name, *name.split("/")] if _is_asked(request, "split") else name


async def list_everything(request: Request, files: UserFiles) -> Response:
    """Folders first, then files, all the way down."""
    path = files.locate(request.query_params.get("path", ""))
    if path is None:
        return text("Invalid path requested", 400)
    if not files.exists(path):
        return text("Requested path not found", 404)
    if not files.is_folder(path):
        return text("Requested path is not a directory", 400)
    found: list[JsonObject] = [
        {"name": posixpath.basename(each), "path": each, "type": "directory"} for each in files.folders_within(path)
    ]
    found += [
        {"name": posixpath.basename(each), "path": each, "type": "file", "size": len(file.content), **_dated(file)}
        for each, file in files.files_within(path)
    ]
    return JsonAnswer(sorted(found, key=lambda entry: (entry["type"] != "directory", str(entry["name"]).lower())))


async def get_file(request: Request, files: UserFiles) -> Response:
    path = _named(request, files, "file")
    if isinstance(path, Response):
        return path
    file = files.get(path)
    if file is None:
        return forbidden_file() if files.is_folder(path) else empty(404)
    return file_answer(request, file.content, file_headers(posixpath.basename(path), modified=file.modified))


async def post_file(request: Request, files: UserFiles) -> Response:
    """Whatever the body is; the answer is the file's path from the user's folder on."""
    path = _named(request, files, "file")
    if isinstance(path, Response):
        return path
    if _keeps(request) and files.exists(path):
        return text("File already exists", 409)
    try:
        files.put(path, await request.body(), now=standin_of(request).workshop.clock.now())
    except UnusablePathError:
        return empty(400)
    return _stored(request, files, path)


async def delete_file(request: Request, files: UserFiles) -> Response:
    path = _named(request, files, "file")
    if isinstance(path, Response):
        return path
    if not files.exists(path):
        return empty(404)
    files.delete(path)
    return empty(204)


async def move_file(request: Request, files: UserFiles) -> Response:
    """A target outside of the user's folder is trouble: ComfyUI forgets to look at it."""
    source = _named(request, files, "file")
    if isinstance(source, Response):
        return source
    if not files.exists(source):
        return empty(404)
    target = _named(request, files, "dest")
    if isinstance(target, Response):
        return trouble()
    if _keeps(request) and files.exists(target):
        return text("File already exists", 409)
    moved = files.move(source, target)
    return _stored(request, files, moved, told=target)


def _named(request: Request, files: UserFiles, parameter: str) -> str | Response:
    """A path out of the request's own; the folders above it are made, as ComfyUI makes them."""
    name = request.path_params[parameter]
    path = files.locate(name)
    if path is None:
        return empty(403)
    if "\0" in path:
        return trouble()
    files.make_parent(path)
    return path


def _stored(request: Request, files: UserFiles, path: str, *, told: str | None = None) -> Response:
    file = files.get(path)
    name = path if told is None else told
    return JsonAnswer(_info(name, file) if file and _is_asked(request, "full_info") else name)


def _info(name: str, file: UserFile) -> JsonObject:
    return {"path": name, "size": len(file.content), **_dated(file), "created": file.created.timestamp()}


def _dated(file: UserFile) -> JsonObject:
    return {"modified": file.modified.timestamp()}


def _is_asked(request: Request, parameter: str) -> bool:
    return request.query_params.get(parameter, "").lower() == "true"


def _keeps(request: Request) -> bool:
    """What is there may not be overwritten."""
    return request.query_params.get("overwrite") == "false"


def _route(path: str, handler: WithFiles, method: str) -> Route:
    return Route(path, for_user(handler, unknown=trouble()), methods=[method])


INVALID_USER = text("Invalid user specified in request", 403)
ROUTES: list[BaseRoute] = [
    _route("/userdata", list_files, "GET"),
    Route("/v2/userdata", for_user(list_everything, unknown=INVALID_USER), methods=["GET"]),
    _route("/userdata/{file:segment}", get_file, "GET"),
    _route("/userdata/{file:segment}", post_file, "POST"),
    _route("/userdata/{file:segment}", delete_file, "DELETE"),
    _route("/userdata/{file:segment}/move/{dest:segment}", move_file, "POST"),
]
