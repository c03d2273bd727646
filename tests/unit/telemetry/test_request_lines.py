"""The access line that is written by hand is the one that structlog's processors make."""

import re
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import structlog

from civitai_mock.api.request_log import EVENT, RequestLine
from civitai_mock.telemetry.logs import log_processors
from civitai_mock.telemetry.request_lines import RequestLines

TRACE_ID = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z")


def of_structlog(line: RequestLine, *, json: bool) -> str:
    file, (shared, last) = StringIO(), log_processors(json=json)
    logger = structlog.wrap_logger(structlog.WriteLogger(file), processors=[*shared, *last])
    with structlog.contextvars.bound_contextvars(trace_id=line.trace_id):
        logger.info(EVENT, **line._asdict())
    return file.getvalue()


def by_hand(line: RequestLine, *, json: bool) -> str:
    file = StringIO()
    RequestLines(file, json=json)(line)
    return file.getvalue()


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "status", "duration_ms"),
    [
        ("GET", "/v1/consumer/jobs/6f1c3a52", 200, 0.123),
        ("POST", "/v2/resources/urn:air:sd1@1+2,3", 499, 0.0),
        ("DELETE", "/a=b", 503, 123456.789),
        ("M-SEARCH", "/%1B%5B2J%0A", 404, 0.001),
        ("it's", "/", 100, 1e-06),
        ("é=\t", "/", 599, 1e17),
    ],
)
def test_the_line_is_that_of_the_logger_but_for_its_time(
    method: str, path: str, status: int, duration_ms: float, json: bool
) -> None:
    line = RequestLine(method, path, status, duration_ms, TRACE_ID)
    written, expected = by_hand(line, json=json), of_structlog(line, json=json)
    assert TIMESTAMP.sub("", written) == TIMESTAMP.sub("", expected)
    assert len(TIMESTAMP.findall(written)) == len(TIMESTAMP.findall(expected)) == 1


@pytest.mark.parametrize("micros", [0, 1_763_900_000_000_000, 1_763_900_000_000_001, 1_763_900_001_999_999])
def test_a_time_is_printed_as_structlog_prints_it(monkeypatch: pytest.MonkeyPatch, micros: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: micros * 1000 + 999)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    line = RequestLine("GET", "/", 200, 0.5, TRACE_ID)
    assert by_hand(line, json=False).split()[0] == moment.isoformat().replace("+00:00", "Z")
