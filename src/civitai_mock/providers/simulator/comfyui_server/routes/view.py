"""GET /view: files of the three folders."""

import asyncio
import posixpath
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.providers.simulator.comfyui_server.keeping import images
from civitai_mock.providers.simulator.comfyui_server.keeping.files import FOLDERS, Place, StoredFile, split_annotation
from civitai_mock.providers.simulator.comfyui_server.routes.answers import BrokenAnswer, empty, standin_of, trouble
from civitai_mock.providers.simulator.comfyui_server.routes.file_answer import (
    UNKNOWN_TYPE,
    file_answer,
    file_headers,
)

# A browser saves these rather than runs them.
NEVER_SHOWN = frozenset({"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "text/css"})


async def view(request: Request) -> Response:
    query = dict(reversed(request.query_params.multi_items()))  # of a name that comes twice the first counts
    if "filename" not in query:
        return empty(404)
    place = _place(query)
    if isinstance(place, Response):
        return place
    standin = standin_of(request)
    file = None if standin.faults.strikes("missing_images") else standin.workshop.files.get(place)
    if file is None:
        return empty(404)
    try:
        made = await asyncio.to_thread(_transformed, query, place, file)
    except images.NOT_AN_IMAGE:
        return trouble()
    return made or _whole(request, place, file)


def _place(query: Mapping[str, str]) -> Place | Response:
    """Where the file is, or why nobody may look there."""
    name, annotated = split_annotation(query["filename"])
    if not name or name.startswith("/") or ".." in name:
        return empty(400)
    folder = annotated or query.get("type", "output")
    if folder not in FOLDERS:
        return empty(400)
    home = f"/{folder}"
    path = posixpath.normpath(posixpath.join(home, query.get("subfolder", "")))
    if path != home and not path.startswith(f"{home}/"):
        return empty(403)
    return Place(folder, path.removeprefix(home).lstrip("/"), posixpath.basename(name))


def _transformed(query: Mapping[str, str], place: Place, file: StoredFile) -> Response | None:
    """None if the file itself is wanted; blocking, for a thread."""
    channel, headers = query.get("channel", ""), _headers(place)
    if "preview" in query:
        content, media_type = images.reencoded(file.content, query["preview"], channel=channel)
        return Response(content, headers=headers, media_type=media_type)
    match channel:
        case "rgb":
            return Response(images.colours_only(file.content), headers=headers, media_type="image/png")
        case "a":
            return Response(images.alpha_only(file.content), headers=headers, media_type="image/png")
    return None


def _whole(request: Request, place: Place, file: StoredFile) -> Response:
    headers = {**_headers(place), **file_headers(place.name, modified=file.modified)}
    if headers["content-type"] in NEVER_SHOWN:
        headers["content-type"] = UNKNOWN_TYPE
    if standin_of(request).faults.strikes("half_images"):
        return BrokenAnswer(file.content, share=0.5, headers=headers)
    return file_answer(request, file.content, headers)


def _headers(place: Place) -> dict[str, str]:
    """The name as the bytes of its UTF-8, as ComfyUI sends it; a header's own coding is Latin-1."""
    name = place.name.encode("utf-8", "surrogateescape").decode("latin-1")
    return {"content-disposition": f'filename="{name}"'}


ROUTES: list[BaseRoute] = [Route("/view", view, methods=["GET"])]
