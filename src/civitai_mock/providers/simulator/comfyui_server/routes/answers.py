"""Answers in the form that aiohttp gives them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from civitai_mock.providers.simulator.comfyui_server.standin import Standin


class JsonAnswer(Response):
    """NaN and integers of any length included."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


class BrokenAnswer(Response):
    """Promises all of `content`, sends `share` of it, and hangs up."""

    def __init__(self, content: bytes, *, share: float, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, headers=headers)
        self._sent = content[: int(len(content) * share)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._sent, "more_body": True})


def empty(status: int = 200) -> Response:
    return Response(status_code=status)


def text(message: str, status: int) -> Response:
    return Response(message, status, media_type="text/plain")


def forbidden_file() -> Response:
    """A folder where a file should be."""
    return Response(status_code=403, media_type="application/octet-stream")


def nothing_there() -> Response:
    """ComfyUI looks for a file of its web page at every path that it does not know."""
    return Response(status_code=404, media_type="application/octet-stream")


def trouble() -> Response:
    """Whatever went wrong inside."""
    return text("500 Internal Server Error\n\nServer got itself in trouble", 500)


def too_large(limit: int) -> Response:
    return text(f"Maximum request body size {limit} exceeded.", 413)


def not_allowed(methods: Iterable[str]) -> Response:
    return Response("405: Method Not Allowed", 405, {"allow": ",".join(sorted(methods))}, "text/plain")


def standin_of(connection: HTTPConnection) -> Standin:
    standin: Standin = connection.app.state.standin
    return standin


def refused(message: str) -> Response:
    """Return the answer to a command that the stand-in refuses."""
    return JsonAnswer({"error": message}, 400)


async def json_body(request: Request) -> Any:
    """Whatever the content type says; raise ValueError for what is no JSON."""
    return json.loads(await request.body())
