"""Write the access lines of requests by hand: most lines of a busy server are such, and all have one form."""

import re
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

import orjson

from civitai_mock.api.request_log import EVENT, RequestLine, RequestLog
from civitai_mock.telemetry.logs import LineFile

LEVEL = "info"
LEVEL_AND_EVENT = f"[{LEVEL:9}] {EVENT:30}"
NEEDS_QUOTES = re.compile("[ \t=\r\n\"']")  # as structlog has it


class RequestLines:
    """Writes what structlog's processors would, character for character, in 4 µs instead of 40 (JSON: 15).

    When it is written is up to the file, which may collect the lines of many requests.
    """

    def __init__(self, file: TextIO, *, json: bool) -> None:
        self._file = LineFile(file)
        self._render = _json_line if json else _console_line
        self._second, self._second_text = -1, ""

    def __call__(self, line: RequestLine) -> None:
        self._file.write(self._render(line, self._timestamp(time.time_ns() // 1000)))
        self._file.flush()

    def _timestamp(self, micros: int) -> str:
        """Print a time; the text of its second is made once, as the lines of a busy second share it."""
        second, fraction = divmod(micros, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")
        return f"{self._second_text}.{fraction:06}Z" if fraction else f"{self._second_text}Z"


def make_request_log(*, json: bool) -> RequestLog:
    """Return a log that writes lines by hand; on a terminal the logger does, which knows colours."""
    return RequestLog(None if sys.stdout.isatty() and not json else RequestLines(sys.stdout, json=json))


def _json_line(line: RequestLine, timestamp: str) -> str:
    method, path, status, duration_ms, trace_id = line
    members = {
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": duration_ms,
        "trace_id": trace_id,
        "event": EVENT,
        "level": LEVEL,
        "timestamp": timestamp,
    }
    return orjson.dumps(members, option=orjson.OPT_APPEND_NEWLINE).decode()


def _console_line(line: RequestLine, timestamp: str) -> str:
    method, path, status, duration_ms, trace_id = line
    if "=" in path or not method.isalpha():
        method, path = _shown(method), _shown(path)
    fields = f"duration_ms={duration_ms} method={method} path={path} status={status} trace_id={trace_id}"
    return f"{timestamp} {LEVEL_AND_EVENT} {fields}\n"


def _shown(text: str) -> str:
    """Print a value as structlog does: in quotes if it has a character that could end it."""
    return repr(text) if NEEDS_QUOTES.search(text) else text
