"""Whatever a process says in production is a line of JSON, whoever says it."""

import json
import subprocess
import sys
from typing import Any

import pytest

START = """
import asyncio, gc, logging, threading, warnings
from civitai_mock.telemetry.logs import configure_logging, log_uncaught_exceptions
configure_logging(json=True, level="info")
log_uncaught_exceptions()
"""
FROM_A_THREAD = "thread = threading.Thread(target=lambda: 1 / 0, name='T'); thread.start(); thread.join()"
FROM_A_FINALISER = """
class Falls:
    def __del__(self):
        raise ValueError('fell')
Falls(); gc.collect()
"""
FROM_A_TASK = """
async def main():
    async def fall():
        raise KeyError('k')
    asyncio.create_task(fall()); await asyncio.sleep(0); await asyncio.sleep(0); gc.collect()
asyncio.run(main())
"""


# As these libraries log the headers of requests and answers.
HEADERS = """
configure_logging(json=True, level="debug")
for name in ("httpcore.http11", "websockets.client", "pymongo.command", "httpx"):
    logging.getLogger(name).debug("(b'set-cookie', b'secret')")
logging.getLogger("asyncio").debug("the rest is told")
"""


def _said(code: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", START + code], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "event", "level", "error"),
    [
        ("warnings.warn('two\\nlines')", "UserWarning: two\nlines", "warning", None),
        (FROM_A_THREAD, "uncaught exception", "error", "ZeroDivisionError"),
        (FROM_A_FINALISER, "uncaught exception", "error", "ValueError: fell"),
        (FROM_A_TASK, "Task exception was never retrieved", "error", "KeyError: 'k'"),
        ("raise RuntimeError('end')", "uncaught exception", "error", "RuntimeError: end"),
        ("logging.getLogger('uvicorn.error').warning('Invalid %s', 'HTTP')", "Invalid HTTP", "warning", None),
    ],
)
def test_what_nobody_catches_is_a_line_of_json(code: str, event: str, level: str, error: str | None) -> None:
    (line,) = _said(code)
    assert event in line["event"]
    assert line["level"] == level
    assert error is None or error in line["exception"]


@pytest.mark.slow
def test_no_headers_are_logged_even_at_debug_level() -> None:
    (line,) = _said(HEADERS)
    assert line["event"] == "the rest is told"
