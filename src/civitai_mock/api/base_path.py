"""Take off a path what names no route: slashes too many, and the base path by which a client says its kind."""

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from civitai_mock.api.errors import on_mock_error
from civitai_mock.api.vocabulary import ClientCompat
from civitai_mock.domain.errors import InvalidRequestError

SEVERAL = re.compile(r"//+")
SEVERAL_RAW = re.compile(rb"//+")


class SlashMiddleware:
    """Take them off before anybody looks at the path; the access line has the one that was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if "//" in path or path.endswith("/"):
            raw: bytes = scope.get("raw_path") or path.encode()
            scope = {
                **scope,
                "path": SEVERAL.sub("/", path).rstrip("/") or "/",
                "raw_path": SEVERAL_RAW.sub(b"/", raw).rstrip(b"/") or b"/",
            }
        await self._app(scope, receive, send)


HEADER = "X-Mock-Compat"
BASE_PATH = "/compat/"


class ClientCompatMiddleware:
    """Put the `ClientCompat` that was asked for into `request.state.compat`, and take it off the path.

    Of both, the path counts: it is what a client was set up with.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            asked, path = _asked(scope)
        except InvalidRequestError as error:
            await (await on_mock_error(Request(scope), error))(scope, receive, send)
            return
        scope["state"]["compat"] = asked
        await self._app(scope if path is None else _at(path, scope), receive, send)


def _asked(scope: Scope) -> tuple[ClientCompat | None, str | None]:
    """What was asked for, and the rest of the path if it was by that; raise `InvalidRequestError` for unknown names."""
    path: str = scope["path"]
    if path.startswith(BASE_PATH):
        name, _, rest = path.removeprefix(BASE_PATH).partition("/")
        return ClientCompat.parse(name, field=BASE_PATH.strip("/")), f"/{rest}"
    header = Headers(scope=scope).get(HEADER)
    return (None if header is None else ClientCompat.parse(header, field=HEADER)), None


def _at(path: str, scope: Scope) -> Scope:
    """The same request under another path; the access line has the one that was asked for."""
    raw: bytes = scope.get("raw_path") or path.encode()
    _, _, _, *rest = raw.split(b"/", 3)
    return {**scope, "path": path, "raw_path": b"/" + b"".join(rest)}
