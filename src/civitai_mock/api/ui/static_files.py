"""Serve the files that pages load: those in `static/`, and Swagger UI and ReDoc from `fastapi-offline`."""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from civitai_mock.api.blobs import tag_matches

STATIC_PATH = "/static"
OWN, OFFLINE = __package__, "fastapi_offline"
PACKAGES: Mapping[str, str] = {
    "index.css": OWN,
    "icon.svg": OWN,
    "swagger.js": OWN,
    "swagger-ui-bundle.js": OFFLINE,
    "swagger-ui.css": OFFLINE,
    "redoc.standalone.js": OFFLINE,
}
# Not from `mimetypes`, which asks the machine: some call a script plain text.
MEDIA_TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def load(name: str) -> tuple[bytes, str]:
    """Read a file of `PACKAGES` with its entity tag, and keep both: up to 1.5 MB, where somebody opens such a page."""
    content = files(PACKAGES[name]).joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:32]


async def get_static_file(request: Request) -> Response:
    """Answer with the file, or with 304 to a browser that has it; a browser asks again after five minutes."""
    name: str = request.path_params["name"]
    if name not in PACKAGES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    content, etag = await asyncio.to_thread(load, name)
    headers = {"etag": f'"{etag}"', "cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
    if tag_matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[PurePosixPath(name).suffix])


ROUTES = [Route(STATIC_PATH + "/{name}", get_static_file)]
