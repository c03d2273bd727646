"""The routes /userdata: files that clients keep on the server for their users, such as workflows."""

import posixpath
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.responses import (
    ComfyJsonResponse,
    Handler,
    empty,
    file_headers,
    file_response,
    not_a_file,
    server_error,
    standin_of,
    text,
)
from civitai_mock.comfyui_standin.routes.users_and_settings import files_of
from civitai_mock.comfyui_standin.state.user_data import UnusablePathError, UserFile, UserFiles
from civitai_mock.domain.json_types import Json, JsonObject

FilesHandler: TypeAlias = Callable[[Request, UserFiles], Awaitable[Response]]


def with_user_files(handler: FilesHandler, *, unknown_user: Response) -> Handler:
    """Make a handler that gets the user's files; `unknown_user` is the answer to an unknown user."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request, files_of(request))
        except KeyError:
            return unknown_user
        except UnusablePathError:
            return server_error()

    return handle


async def list_files(request: Request, files: UserFiles) -> Response:
    """List the names below `dir`, split into their parts or with details if the client asks for it."""
    folder = request.query_params.get("dir", "")
    if not folder:
        return text("Directory not provided", 400)
    path = files.locate(folder)
    if path is None:
        return text("Invalid directory", 403)
    files.make_parent(path)
    if not files.exists(path):
        return text("Directory not found", 404)
    found = files.visible_files(path, recurse=_is_true(request, "recurse"))
    return ComfyJsonResponse([_list_entry(request, name, file) for name, file in found])


def _list_entry(request: Request, name: str, file: UserFile) -> Json:
    if _is_true(request, "full_info"):
        return _details(name, file)
    return [name, *name.split("/")] if _is_true(request, "split") else name


async def list_tree(request: Request, files: UserFiles) -> Response:
    """List folders first, then files, all the way down."""
    path = files.locate(request.query_params.get("path", ""))
    if path is None:
        return text("Invalid path requested", 400)
    if not files.exists(path):
        return text("Requested path not found", 404)
    if not files.is_folder(path):
        return text("Requested path is not a directory", 400)
    found: list[JsonObject] = [
        {"name": posixpath.basename(each), "path": each, "type": "directory"} for each in files.folders_below(path)
    ]
    found += [
        {"name": posixpath.basename(each), "path": each, "type": "file", "size": len(file.content), **_modified(file)}
        for each, file in files.files_below(path)
    ]
    return ComfyJsonResponse(
        sorted(found, key=lambda entry: (entry["type"] != "directory", str(entry["name"]).lower()))
    )


async def get_file(request: Request, files: UserFiles) -> Response:
    path = _path_of(request, files, "file")
    if isinstance(path, Response):
        return path
    file = files.get(path)
    if file is None:
        return not_a_file() if files.is_folder(path) else empty(404)
    return file_response(request, file.content, file_headers(posixpath.basename(path), modified=file.modified))


async def post_file(request: Request, files: UserFiles) -> Response:
    """Store the body, whatever it is, and answer the file's path from the user's folder on."""
    path = _path_of(request, files, "file")
    if isinstance(path, Response):
        return path
    if _must_not_overwrite(request) and files.exists(path):
        return text("File already exists", 409)
    try:
        files.put(path, await request.body(), now=standin_of(request).state.clock.now())
    except UnusablePathError:
        return empty(400)
    return _stored_response(request, files, path)


async def delete_file(request: Request, files: UserFiles) -> Response:
    path = _path_of(request, files, "file")
    if isinstance(path, Response):
        return path
    if not files.exists(path):
        return empty(404)
    files.delete(path)
    return empty(204)


async def move_file(request: Request, files: UserFiles) -> Response:
    """Move a file; a target outside of the user's folder is a server error, as ComfyUI does not check it."""
    source = _path_of(request, files, "file")
    if isinstance(source, Response):
        return source
    if not files.exists(source):
        return empty(404)
    target = _path_of(request, files, "dest")
    if isinstance(target, Response):
        return server_error()
    if _must_not_overwrite(request) and files.exists(target):
        return text("File already exists", 409)
    moved = files.move(source, target)
    return _stored_response(request, files, moved, shown_path=target)


def _path_of(request: Request, files: UserFiles, parameter: str) -> str | Response:
    """Return a path from the request's own, and create the folders above it, as ComfyUI does."""
    name = request.path_params[parameter]
    path = files.locate(name)
    if path is None:
        return empty(403)
    if "\0" in path:
        return server_error()
    files.make_parent(path)
    return path


def _stored_response(request: Request, files: UserFiles, path: str, *, shown_path: str | None = None) -> Response:
    file = files.get(path)
    name = path if shown_path is None else shown_path
    return ComfyJsonResponse(_details(name, file) if file and _is_true(request, "full_info") else name)


def _details(name: str, file: UserFile) -> JsonObject:
    return {"path": name, "size": len(file.content), **_modified(file), "created": file.created.timestamp()}


def _modified(file: UserFile) -> JsonObject:
    return {"modified": file.modified.timestamp()}


def _is_true(request: Request, parameter: str) -> bool:
    return request.query_params.get(parameter, "").lower() == "true"


def _must_not_overwrite(request: Request) -> bool:
    return request.query_params.get("overwrite") == "false"


def _route(path: str, handler: FilesHandler, method: str) -> Route:
    return Route(path, with_user_files(handler, unknown_user=server_error()), methods=[method])


INVALID_USER = text("Invalid user specified in request", 403)
ROUTES: list[BaseRoute] = [
    _route("/userdata", list_files, "GET"),
    Route("/v2/userdata", with_user_files(list_tree, unknown_user=INVALID_USER), methods=["GET"]),
    _route("/userdata/{file:segment}", get_file, "GET"),
    _route("/userdata/{file:segment}", post_file, "POST"),
    _route("/userdata/{file:segment}", delete_file, "DELETE"),
    _route("/userdata/{file:segment}/move/{dest:segment}", move_file, "POST"),
]
