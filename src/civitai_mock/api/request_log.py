"""Log requests: one access line for each when it is over."""

from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import structlog

from civitai_mock.api.context import Exchange
from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST
from civitai_mock.api.system import CHECK_URLS

TRACE_HEADER = b"x-trace-id"
READABLE = "/:@+,="  # stays as it is in a logged path; control characters do not

logger = structlog.stdlib.get_logger()


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
