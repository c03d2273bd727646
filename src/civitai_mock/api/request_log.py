"""Follow a request: its trace id, and one access line when it is over."""

import re
import secrets
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST

# W3C Trace Context, level 1; what a later version appends is ignored.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
TRACE_HEADER = "x-trace-id"
READABLE = "/:@+,="  # stays as it is in a logged path; control characters do not

HEALTH_URL = "/health"  # asked every other second, and news only when the answer is bad

logger = structlog.stdlib.get_logger()


def new_trace_id(traceparent: str | None) -> str:
    """A new span in the caller's trace, or in a trace of its own if there is no valid one."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    trace = match["trace"] if match else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-00"


class TraceMiddleware:
    """The path is logged without its query, which may hold tokens and signatures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        trace_id = new_trace_id(Headers(scope=scope).get("traceparent"))
        scope.setdefault("state", {}).update(trace_id=trace_id, sent_path=scope["path"])
        status = CLIENT_CLOSED_REQUEST

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])  # an HTTPStatus would be printed by its name
                message = {**message, "headers": [*message["headers"], (TRACE_HEADER.encode(), trace_id.encode())]}
            await send(message)

        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            try:
                await self._app(scope, receive, send_traced)
            finally:
                is_good_check = scope["path"] == HEALTH_URL and status == HTTPStatus.OK
                tell = logger.debug if is_good_check else logger.info
                tell(
                    "request",
                    method=scope["method"],
                    path=quote(scope["path"], safe=READABLE),
                    status=status,
                    duration_ms=round((perf_counter() - started) * 1000, 3),
                    trace_id=trace_id,
                )
