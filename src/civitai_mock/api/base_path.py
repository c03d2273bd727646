"""Take off a path what names no route: slashes too many, and the base path by which a client says its kind."""

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from civitai_mock.api.errors import error_response
from civitai_mock.api.middleware import HttpMiddleware
from civitai_mock.api.vocabulary import ClientCompat
from civitai_mock.domain.errors import InvalidRequestError

SLASHES = re.compile(r"//+")
RAW_SLASHES = re.compile(rb"//+")
COMPAT_HEADER = "X-Mock-Compat"
COMPAT_PATH = "/compat/"


class SlashMiddleware(HttpMiddleware):
    """Removes slashes too many before anything else reads the path; the access line has the path that was sent."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if "//" in path or path.endswith("/"):
            raw: bytes = scope.get("raw_path") or path.encode()
            scope = {
                **scope,
                "path": SLASHES.sub("/", path).rstrip("/") or "/",
                "raw_path": RAW_SLASHES.sub(b"/", raw).rstrip(b"/") or b"/",
            }
        await self.app(scope, receive, send)


class ClientCompatMiddleware(HttpMiddleware):
    """Puts the `ClientCompat` that was asked for into `request.state.compat`, and takes it off the path.

    If both path and header have one, that of the path counts: it is what a client was set up with.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            compat, path = _requested_compat(scope)
        except InvalidRequestError as error:
            await error_response(Request(scope), error)(scope, receive, send)
            return
        scope["state"]["compat"] = compat
        await self.app(scope if path is None else _with_path(path, scope), receive, send)


def _requested_compat(scope: Scope) -> tuple[ClientCompat | None, str | None]:
    """Return what was asked for, and the rest of the path if the path did; raise `InvalidRequestError` if unknown."""
    path: str = scope["path"]
    if path.startswith(COMPAT_PATH):
        name, _, rest = path.removeprefix(COMPAT_PATH).partition("/")
        return ClientCompat.parse(name, field=COMPAT_PATH.strip("/")), f"/{rest}"
    header = Headers(scope=scope).get(COMPAT_HEADER)
    return (None if header is None else ClientCompat.parse(header, field=COMPAT_HEADER)), None


def _with_path(path: str, scope: Scope) -> Scope:
    """Return the same request under another path; the access line has the path that was sent."""
    raw: bytes = scope.get("raw_path") or path.encode()
    _, _, _, *rest = raw.split(b"/", 3)
    return {**scope, "path": path, "raw_path": b"/" + b"".join(rest)}
