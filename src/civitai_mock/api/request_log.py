"""Log requests: a trace id for each, one access line when it is over, and the traceback of a bug."""

import re
import secrets
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST, problem
from civitai_mock.api.middleware import HttpMiddleware
from civitai_mock.api.system import HEALTH_URL
from civitai_mock.domain.errors import MockError

# W3C Trace Context, level 1; what a later version appends is ignored.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
TRACE_HEADER = "x-trace-id"
READABLE = "/:@+,="  # stays as it is in a logged path; control characters do not

logger = structlog.stdlib.get_logger()


class RequestLogMiddleware(HttpMiddleware):
    """Gives each request a trace id, and logs its path without the query, which may hold tokens and signatures."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                await self.app(scope, receive, send_traced)
            finally:
                # It is asked every other second, and only a bad answer is news.
                is_good_check = scope["path"] == HEALTH_URL and status == HTTPStatus.OK
                log = logger.debug if is_good_check else logger.info
                log(
                    "request",
                    method=scope["method"],
                    path=quote(scope["path"], safe=READABLE),
                    status=status,
                    duration_ms=round((perf_counter() - started) * 1000, 3),
                    trace_id=trace_id,
                )


def new_trace_id(traceparent: str | None) -> str:
    """Return a new span in the trace of the caller, or in a trace of its own if there is no valid one."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match:
        return f"00-{match['trace']}-{secrets.token_hex(8)}-00"
    digits = secrets.token_hex(24)
    return f"00-{digits[:32]}-{digits[32:]}-00"


class UnexpectedErrorMiddleware(HttpMiddleware):
    """Is the last boundary: it logs a bug with its traceback, and answers 500 without."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting_start)
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("request failed")
            if has_started:
                raise
            await problem(Request(scope), 500, code=MockError.code)(scope, receive, send)
