"""Paths with slashes too many: behind a base address that ends in one (`//v1/…`), or at their end."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

SEVERAL = re.compile(r"//+")
SEVERAL_RAW = re.compile(rb"//+")


class Slashes:
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
