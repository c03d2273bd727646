"""Serve the dashboard under `/_mock/ui/`: one page for all its addresses, and the files that it loads.

The files come with the package, and are found once: no path of a request reaches the file system. They need no token,
as nothing in them is secret; whatever they show comes from the control plane, which asks for it.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from string import Template
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from civitai_mock.api.blobs import tag_matches
from civitai_mock.api.mock import PAGE_PREFIX
from civitai_mock.api.ui.pages import root_reference

FOLDER = "assets"
INDEX = "index.html"
PAGE_FOLDER = "js/pages/"  # a page is a script in it, of the same name
MEDIA_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types hub",
    )
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}


class Asset(NamedTuple):
    """Is a file of the page with its entity tag."""

    content: bytes
    etag: str
    media_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by their names, like `js/app.js`."""
    return dict(_found(files(__package__).joinpath(FOLDER), ""))


@cache
def page_names() -> frozenset[str]:
    """Return the first parts of the addresses that the page has."""
    return frozenset(
        PurePosixPath(name).stem for name in assets() if name.startswith(PAGE_FOLDER) and name.count("/") == 2
    )


def _found(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        suffix = PurePosixPath(entry.name).suffix
        if entry.is_dir():
            found += _found(entry, f"{prefix}{entry.name}/")
        elif suffix in MEDIA_TYPES:
            found.append((prefix + entry.name, _asset(entry.read_bytes(), MEDIA_TYPES[suffix])))
    return found


def _asset(content: bytes, media_type: str) -> Asset:
    return Asset(content, hashlib.sha256(content).hexdigest()[:32], media_type)


async def get_page(request: Request) -> Response:
    """Answer with the page, whose links are relative, so that it works behind any prefix."""
    known = await asyncio.to_thread(page_names)
    name = request.path_params.get("page", "").partition("/")[0]
    if name and name not in known:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _answer(request, _page(root_reference(request)))


async def get_asset(request: Request) -> Response:
    known = await asyncio.to_thread(assets)
    name: str = request.path_params["name"]
    if name not in known or name == INDEX:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _answer(request, known[name])


def _page(root: str) -> Asset:
    template = Template(assets()[INDEX].content.decode())
    return _asset(template.substitute(root=root).encode(), MEDIA_TYPES[".html"])


def _answer(request: Request, asset: Asset) -> Response:
    headers = {**HEADERS, "etag": f'"{asset.etag}"'}
    if tag_matches(request.headers.get("if-none-match", ""), asset.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


ROUTES = [
    Route(PAGE_PREFIX, get_page),
    Route(PAGE_PREFIX + "/assets/{name:path}", get_asset),
    Route(PAGE_PREFIX + "/{page:path}", get_page),
]
