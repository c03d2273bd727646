"""Responses in the form that aiohttp gives them, with files whole or in the requested range."""

import json
import mimetypes
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, TypeAlias

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from civitai_mock.comfyui_standin.standin import Standin

UNKNOWN_TYPE = "application/octet-stream"
BYTE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
SCRIPT_TYPE = "application/javascript; charset=utf-8"  # whatever the machine's own table says

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class ComfyJsonResponse(Response):
    """Encodes JSON with the standard library, which takes NaN and integers of any length."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


class BrokenResponse(Response):
    """Announces all of `content`, sends `share` of it, and hangs up."""

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


def not_a_file() -> Response:
    """Return the answer for a folder where a file should be."""
    return Response(status_code=403, media_type=UNKNOWN_TYPE)


def page_file_not_found() -> Response:
    """Return the answer for an unknown path, where ComfyUI looks for a file of its web page."""
    return Response(status_code=404, media_type=UNKNOWN_TYPE)


def server_error() -> Response:
    """Return aiohttp's answer to an exception in a handler."""
    return text("500 Internal Server Error\n\nServer got itself in trouble", 500)


def body_too_large(limit: int) -> Response:
    return text(f"Maximum request body size {limit} exceeded.", 413)


def method_not_allowed(methods: Iterable[str]) -> Response:
    return Response("405: Method Not Allowed", 405, {"allow": ",".join(sorted(methods))}, "text/plain")


def standin_of(connection: HTTPConnection) -> Standin:
    standin: Standin = connection.app.state.standin
    return standin


def command_refused(message: str, *, status: int = 400) -> Response:
    """Return the answer to a command on /standin that is wrong, or not allowed."""
    return ComfyJsonResponse({"error": message}, status)


async def json_body(request: Request) -> Any:
    """Return the body as JSON, whatever its content type is; raise ValueError for what is not JSON."""
    return json.loads(await request.body())


def file_headers(name: str, *, modified: datetime) -> dict[str, str]:
    """Return the headers of a whole file; its type follows from its name."""
    return {
        "content-type": media_type_of(name),
        "last-modified": format_datetime(modified, usegmt=True),
        "accept-ranges": "bytes",
    }


def media_type_of(name: str) -> str:
    if name.lower().endswith(".js"):
        return SCRIPT_TYPE
    return mimetypes.guess_type(name)[0] or UNKNOWN_TYPE


def file_response(request: Request, content: bytes, headers: Mapping[str, str]) -> Response:
    """Return the whole file, or the one range that is requested; a range outside of the file is refused."""
    requested = request.headers.get("range")
    if requested is None:
        return Response(content, headers=headers)
    part = _parse_range(requested, len(content))
    if not part:
        kept = {name: value for name, value in headers.items() if name != "accept-ranges"}
        return Response(status_code=416, headers={**kept, "content-range": f"bytes */{len(content)}"})
    content_range = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, {**headers, "content-range": content_range})


def _parse_range(requested: str, size: int) -> range:
    """Return an empty range for a malformed header, for several ranges, and for one that is not in the file."""
    match = BYTE_RANGE.fullmatch(requested)
    if match is None:
        return range(0)
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size) if last else range(0)
    return range(int(first), min(int(last) + 1, size) if last else size)
