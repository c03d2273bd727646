"""Log requests: a trace id for each, and one access line when it is over."""

import re
import secrets
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import structlog

from civitai_mock.api.context import Exchange
from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST
from civitai_mock.api.system import CHECK_URLS

# W3C Trace Context, level 1; what a later version appends is ignored.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
TRACE_HEADER = b"x-trace-id"
READABLE = "/:@+,="  # stays as it is in a logged path; control characters do not

logger = structlog.stdlib.get_logger()


def new_trace_id(traceparent: str | None) -> str:
    """Return a new span in the trace of the caller, or in a trace of its own if there is no valid one."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match:
        return f"00-{match['trace']}-{secrets.token_hex(8)}-00"
    digits = secrets.token_hex(24)
    return f"00-{digits[:32]}-{digits[32:]}-00"


def log_request(exchange: Exchange) -> None:
    """Log a request that is over, with its path but not its query, which may hold tokens and signatures."""
    status = exchange.status or CLIENT_CLOSED_REQUEST
    is_good_check = exchange.path in CHECK_URLS and status == HTTPStatus.OK
    log = logger.debug if is_good_check else logger.info
    log(
        "request",
        method=exchange.method,
        path=quote(exchange.path, safe=READABLE),
        status=status,
        duration_ms=round((perf_counter() - exchange.started) * 1000, 3),
        trace_id=exchange.trace_id,
    )
