"""A file as an answer: whole, or the range that was asked for."""

import mimetypes
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response

UNKNOWN_TYPE = "application/octet-stream"
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
    """One range; several, or none that can be read, get all."""
    wanted = request.headers.get("range")
    part = _range(wanted, len(content)) if wanted else None
    if part is None:
        return Response(content, headers=headers)
    if part.start >= len(content):
        return Response(status_code=416, headers={"content-range": f"bytes */{len(content)}"})
    told = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, {**headers, "content-range": told})


def _range(wanted: str, size: int) -> range | None:
    unit, _, span = wanted.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdigit():
        return None
    if not first:
        return range(max(size - int(last), 0), size)
    return range(int(first), min(int(last) + 1, size) if last else size)
