"""Answers in the form that aiohttp gives them; files whole, or the range that was asked for."""

import json
import mimetypes
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from civitai_mock.comfyui_standin.standin import Standin


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


UNKNOWN_TYPE = "application/octet-stream"
SPAN = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
SCRIPT = "application/javascript; charset=utf-8"  # whatever the machine's own table says


def file_headers(name: str, *, modified: datetime) -> dict[str, str]:
    """The headers of a whole file; its type follows from its name."""
    return {
        "content-type": media_type_of(name),
        "last-modified": format_datetime(modified, usegmt=True),
        "accept-ranges": "bytes",
    }


def media_type_of(name: str) -> str:
    if name.lower().endswith(".js"):
        return SCRIPT
    return mimetypes.guess_type(name)[0] or UNKNOWN_TYPE


def file_answer(request: Request, content: bytes, headers: Mapping[str, str]) -> Response:
    """All, or the one range that is wanted; what is no range of the file is refused."""
    wanted = request.headers.get("range")
    if wanted is None:
        return Response(content, headers=headers)
    part = _range(wanted, len(content))
    if not part:
        known = {name: value for name, value in headers.items() if name != "accept-ranges"}
        return Response(status_code=416, headers={**known, "content-range": f"bytes */{len(content)}"})
    told = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, {**headers, "content-range": told})


def _range(wanted: str, size: int) -> range:
    """Empty for what cannot be read, for several, and for one that is not in the file."""
    span = SPAN.fullmatch(wanted)
    if span is None:
        return range(0)
    first, last = span.groups()
    if not first:
        return range(max(size - int(last), 0), size) if last else range(0)
    return range(int(first), min(int(last) + 1, size) if last else size)
