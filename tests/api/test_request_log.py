"""A request is followed by its trace id, and leaves one access line."""

import gc
import os
import re
import subprocess
import sys
import weakref

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.services.tracing import new_trace_id
from tests.support.asgi import exchange, hang_up, http_scope, silence
from tests.support.served_app import JOBS, Served, template

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
FORKED = """
import os
from civitai_mock.services.tracing import new_trace_id
os.fork()
os.write(1, (new_trace_id() + chr(10)).encode())
"""
TRACE_ID = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00")


@pytest.mark.parametrize("header", [TRACEPARENT, f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later"])
def test_an_incoming_trace_goes_on_in_a_new_span(header: str) -> None:
    version, trace, span, flags = new_trace_id(header).split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert len(span) == 16
    assert span != "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        TRACEPARENT.upper(),
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"{TRACEPARENT}x",
    ],
)
def test_without_a_valid_traceparent_the_trace_is_a_new_one(header: str | None) -> None:
    trace_id = new_trace_id(header)
    assert TRACE_ID.fullmatch(trace_id)
    assert TRACE not in trace_id
    assert trace_id != new_trace_id(header)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is forked here")
def test_a_forked_process_has_traces_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], check=True, capture_output=True, text=True)
    assert len(set(done.stdout.split())) == 2


async def test_the_trace_follows_a_request_into_its_job(served: Served) -> None:
    answer = await served.client.post(JOBS, json=template(), headers={"traceparent": TRACEPARENT})
    trace_id = answer.headers["x-trace-id"]
    assert trace_id.startswith(f"00-{TRACE}-")
    job = await served.use_cases.query.by_id(answer.json()["jobId"])
    assert job.trace_id == job.last_event.trace_id == trace_id


async def test_an_error_has_the_same_trace_id_as_its_header(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"traceparent": TRACEPARENT})
    assert answer.json()["traceId"] == answer.headers["x-trace-id"]


async def test_a_request_leaves_one_access_line_without_its_query_and_body(served: Served) -> None:
    with capture_logs() as logs:
        answer = await served.client.post(f"{JOBS}?token=secret&detailed=true", json=template())
    (line,) = [line for line in logs if line["event"] == "request"]
    assert line.pop("duration_ms") >= 0
    assert type(line["status"]) is int
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": JOBS,
        "status": 202,
        "trace_id": answer.headers["x-trace-id"],
    }


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), (f"{JOBS}?token=x", 400), ("/blobs/x", 403)])
async def test_a_refused_request_leaves_an_access_line_too(client: httpx.AsyncClient, path: str, status: int) -> None:
    with capture_logs() as logs:
        await client.get(path)
    assert [line["status"] for line in logs if line["event"] == "request"] == [status]


@pytest.mark.parametrize(
    ("path", "logged"), [("/%1B[2J%0Aready", "/%1B%5B2J%0Aready"), ("/v2/resources/a:b@c", "/v2/resources/a:b@c")]
)
async def test_a_path_cannot_write_lines_of_its_own_into_the_log(
    client: httpx.AsyncClient, path: str, logged: str
) -> None:
    with capture_logs() as logs:
        await client.get(path)
    assert [line["path"] for line in logs if line["event"] == "request"] == [logged]


async def test_a_client_that_hangs_up_leaves_an_access_line_and_no_error(served: Served) -> None:
    with capture_logs() as logs:
        answered = await exchange(served.app, http_scope("POST", JOBS), hang_up)
    assert answered.messages == []
    assert [(line["event"], line["status"]) for line in logs] == [("request", 499)]


async def test_a_good_answer_of_health_is_logged_at_debug_level_only(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await client.get("/health")
    assert [line["log_level"] for line in logs if line["event"] == "request"] == ["debug"]


class Marker:
    """Something that a scope holds."""


@pytest.mark.parametrize("path", ["/health", f"{JOBS}/unknown", "/nowhere", "/v2/resources"])
async def test_nothing_of_a_request_that_is_over_waits_for_the_garbage_collector(served: Served, path: str) -> None:
    marker = Marker()
    seen = weakref.ref(marker)
    gc.disable()
    try:
        await exchange(served.app, {**http_scope("GET", path), "marker": marker}, silence)
        del marker
        assert seen() is None
    finally:
        gc.enable()
