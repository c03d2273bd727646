"""A file as an answer: whole, or the range that was asked for."""

import mimetypes
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response

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
