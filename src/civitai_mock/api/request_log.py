"""Log requests: one access line for each when it is over."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from time import time_ns
from typing import TypeAlias
from urllib.parse import quote

import structlog

from civitai_mock.api.exchange import Exchange
from civitai_mock.api.health import CHECK_URLS
from civitai_mock.api.mock import PREFIX, STATE_PATH
from civitai_mock.domain.redaction import without_token

EVENT = "request"
QUIET = CHECK_URLS | {PREFIX + STATE_PATH}  # what is asked for each second: each by itself says nothing
PLAIN_PATH = re.compile("[A-Za-z0-9/-]+")
READABLE = "/:@+,=*"  # stays as it is in a logged path; control characters do not


# Takes method, path, status, duration in s, trace id, and the time in ns since 1970. The path is as it was sent.
WriteLine: TypeAlias = Callable[[str, str, int, float, str, int], None]


def readable_path(path: str) -> str:
    """Return the path as it is logged: without a token in it, which is a right to read, and without odd characters."""
    path = without_token(path)
    return path if PLAIN_PATH.fullmatch(path) else quote(path, safe=READABLE)


def whole_micros(seconds: float) -> float:
    """Return whole microseconds, in ms; to have `round` keep three digits takes three times as long."""
    return round(seconds * 1_000_000) / 1000


class RequestLog:
    """Logs requests that are over, with their path but not their query, which may hold tokens and signatures.

    `write_line` writes an access line of level info as the logger would, but faster; None leaves it to the logger.
    """

    def __init__(self, write_line: WriteLine | None = None) -> None:
        self._write_line = write_line
        self._logger = structlog.stdlib.get_logger().bind()

    def log(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Log one request, which took so many seconds, if its level is logged at all, and what hit it."""
        level = logging.DEBUG if exchange.path in QUIET and status == HTTPStatus.OK else logging.INFO
        if not self._logger.is_enabled_for(level):
            return
        if self._write_line is not None and level == logging.INFO and exchange.fault is None:
            self._write_line(exchange.method, exchange.path, status, seconds, exchange.trace_id, time_ns())
        else:
            self._logger.log(
                level,
                EVENT,
                method=exchange.method,
                path=readable_path(exchange.path),
                status=status,
                duration_ms=whole_micros(seconds),
                trace_id=exchange.trace_id,
                **({} if exchange.fault is None else {"fault": exchange.fault}),
            )
