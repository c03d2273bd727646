"""Log requests: one access line for each when it is over."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

import structlog

from civitai_mock.api.context import Exchange
from civitai_mock.api.system import CHECK_URLS

EVENT = "request"
TRACE_HEADER = b"x-trace-id"
PLAIN_PATH = re.compile("[A-Za-z0-9/-]+")
READABLE = "/:@+,="  # stays as it is in a logged path; control characters do not


class RequestLine(NamedTuple):
    """Is what the access line of a request says."""

    method: str
    path: str
    status: int
    duration_ms: float
    trace_id: str


WriteLine: TypeAlias = Callable[[RequestLine], None]


class RequestLog:
    """Logs requests that are over, with their path but not their query, which may hold tokens and signatures.

    `write_line` writes an access line of level info as the logger would, but faster; None leaves it to the logger.
    """

    def __init__(self, write_line: WriteLine | None = None) -> None:
        self._write_line = write_line
        self._logger = structlog.stdlib.get_logger().bind()

    def log(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Log one request, which took so many seconds, if its level is logged at all."""
        level = logging.DEBUG if exchange.path in CHECK_URLS and status == HTTPStatus.OK else logging.INFO
        if not self._logger.is_enabled_for(level):
            return
        duration_ms = round(seconds * 1000, 3)
        path = exchange.path if PLAIN_PATH.fullmatch(exchange.path) else quote(exchange.path, safe=READABLE)
        line = RequestLine(exchange.method, path, status, duration_ms, exchange.trace_id)
        if self._write_line is not None and level == logging.INFO:
            self._write_line(line)
        else:
            self._logger.log(level, EVENT, **line._asdict())
