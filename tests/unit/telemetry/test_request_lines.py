"""The access line that is written by hand is the one that structlog's processors make."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from typing import NamedTuple

import pytest
import structlog
from tests.support.table import table

from civitai_mock.api.request_log import EVENT, readable_path
from civitai_mock.telemetry.logs import log_processors
from civitai_mock.telemetry.request_lines import line_writer

TRACE_ID = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z")


class Request(NamedTuple):
    """Is what a line is made of."""

    method: str
    path: str
    status: int
    seconds: float
    trace_id: str = TRACE_ID
    at: int = 0


class LaterFile(StringIO):
    """Writes what it has to write later when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[Callable[[], str]] = []

    def write_later(self, make_text: Callable[..., str], *parts: object) -> None:
        self._texts.append(partial(make_text, *parts))

    def write_all(self) -> None:
        self.writelines(make_text() for make_text in self._texts)


def of_structlog(line: Request, *, json: bool) -> str:
    file, (shared, last) = StringIO(), log_processors(json=json)
    logger = structlog.wrap_logger(structlog.WriteLogger(file), processors=[*shared, *last])
    with structlog.contextvars.bound_contextvars(trace_id=line.trace_id):
        logger.info(
            EVENT,
            method=line.method,
            path=readable_path(line.path),
            status=line.status,
            duration_ms=round(line.seconds * 1000, 3),
            trace_id=line.trace_id,
        )
    return file.getvalue()


def by_hand(line: Request, *, json: bool) -> str:
    file = StringIO()
    line_writer(file, json=json)(*line)
    return file.getvalue()


@table("json", [False, True])
@table(
    ("method", "path", "status", "seconds"),
    [
        ("GET", "/v1/consumer/jobs/6f1c3a52", 200, 0.000123),
        ("POST", "/v2/resources/urn:air:sd1@1+2,3", 499, 0.0),
        ("DELETE", "/a=b", 503, 123.456789),
        ("M-SEARCH", "/\x1b[2J\n", 404, 0.00000149),
        ("it's", "/", 100, 1e-09),
        ("é=\t", "/", 599, 1e14),
    ],
)
def test_the_line_is_that_of_the_logger_but_for_its_time(
    method: str, path: str, status: int, seconds: float, json: bool
) -> None:
    line = Request(method, path, status, seconds)
    written, expected = by_hand(line, json=json), of_structlog(line, json=json)
    assert TIMESTAMP.sub("", written) == TIMESTAMP.sub("", expected)
    assert len(TIMESTAMP.findall(written)) == len(TIMESTAMP.findall(expected)) == 1


@pytest.mark.parametrize("micros", [0, 1_763_900_000_000_000, 1_763_900_000_000_001, 1_763_900_001_999_999])
def test_a_time_is_printed_as_structlog_prints_it(micros: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    line = Request("GET", "/", 200, 0.0005, at=micros * 1000 + 999)
    assert by_hand(line, json=False).split()[0] == moment.isoformat().replace("+00:00", "Z")


def test_a_file_that_collects_lines_makes_their_texts_when_it_writes_them() -> None:
    file = LaterFile()
    line = Request("GET", "/", 200, 0.0005)
    line_writer(file, json=False)(*line)
    assert file.getvalue() == ""
    file.write_all()
    assert file.getvalue() == by_hand(line, json=False)
