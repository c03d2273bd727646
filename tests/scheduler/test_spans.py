"""What is exported to OpenTelemetry: requests, jobs with their stages, and calls to others."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.bootstrap.standin import make_comfyui_standin
from civitai_mock.ports import Span, SpanKind
from civitai_mock.settings import SettingsError
from tests.support.collector import Collector, running_collector
from tests.support.served_app import JOBS, Opened, make_settings, open_app, serve_all, template
from tests.support.standin import RunningStandin, running_app

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
REQUEST, JOB, CALLBACK = f"POST {JOBS}", "job TextToImageV2", "callback"
STAGES = ("CLAIMED", "PROMPT_PREPARED", "SENT_TO_COMFY", "COMFY_RESULT")
CALLBACKS = 5
NOT_IMPORTED = """
import asyncio, sys
from civitai_mock.bootstrap.runtime import open_runtime
from tests.support.served_app import make_settings

NEEDED_LATER = "opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client"

async def start():
    async with open_runtime(make_settings()):
        assert not [name for name in sys.modules if name.startswith(NEEDED_LATER)]

asyncio.run(start())
"""


@pytest.fixture
async def standin() -> AsyncIterator[RunningStandin]:
    async with running_app(make_comfyui_standin(make_settings())) as running:
        yield running


def traceparent(flags: str) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"}


async def test_a_collector_gets_the_whole_trace_of_a_job(standin: RunningStandin) -> None:
    with running_collector() as collector:
        async with serve_all(
            comfy_http_url=standin.url,
            otel_exporter_otlp_endpoint=collector.url,
            otel_exporter_otlp_headers="X-Key=a%20b",
            otel_service_name="mock-1",
        ) as opened:
            await opened.run(template(callbackUrl=f"{collector.url}/hook"), headers=traceparent("01"))
            await asyncio.to_thread(collector.wait_for, lambda: _names(collector)[CALLBACK] == CALLBACKS)
    of_job = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    ids = {span.name: span.span_id.hex() for span in of_job}
    parents = {(span.name, span.parent_span_id.hex()) for span in of_job}
    below_job = {*STAGES, "ComfyUI /prompt", "ComfyUI /view"}
    assert parents >= {(REQUEST, CALLER), (JOB, ids[REQUEST]), (CALLBACK, ids[REQUEST])}
    assert parents >= {(name, ids[JOB]) for name in below_job}
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in of_job)
    called = {headers["traceparent"] for headers in collector.headers_at("/hook")}
    assert called == {f"00-{TRACE}-{span.span_id.hex()}-01" for span in of_job if span.name == CALLBACK}
    assert {headers["x-key"] for headers in collector.headers_at("/v1/traces")} == {"a b"}
    names = {pair.value.string_value for spans in collector.resources for pair in spans.resource.attributes}
    assert "mock-1" in names


def _names(collector: Collector) -> Counter[str]:
    return Counter(span.name for span in collector.spans)


async def test_a_request_says_what_was_asked_and_what_came_of_it() -> None:
    spans, application = _recording()
    async with open_app(application) as opened:
        await opened.client.get("/v2/resources/x", headers=traceparent("01"))
    (span,) = spans
    assert (span.name, span.kind, span.error) == ("GET /v2/resources/{air}", SpanKind.SERVER, None)
    assert span.parent == traceparent("01")["traceparent"]
    assert span.attributes["http.response.status_code"] == 400


async def test_a_trace_that_its_caller_does_not_record_is_not_recorded_here() -> None:
    spans, application = _recording()
    async with open_app(application) as opened:
        answer = await opened.client.get("/v2/resources", headers=traceparent("00"))
        await _run(opened, traceparent("00"))
    assert answer.headers["x-trace-id"].endswith("-00")
    assert [span for span in spans if TRACE in span.trace_id] == []


async def test_a_trace_that_begins_here_is_recorded() -> None:
    spans, application = _recording()
    async with open_app(application) as opened:
        await _run(opened, {})
    assert {span.name for span in spans} >= {REQUEST, JOB, *STAGES}
    (job,) = [span for span in spans if span.name == JOB]
    assert job.attributes["job.outcome"] == "SUCCEEDED"


async def test_a_start_without_the_packages_names_the_setting_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "civitai_mock.telemetry.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    reason = r"^OTEL_EXPORTER_OTLP_ENDPOINT: found 'http://collector:4318.*pip install 'civitai-mock\[otel\]'$"
    with pytest.raises(SettingsError, match=reason):
        async with open_runtime(make_settings(otel_exporter_otlp_endpoint="http://collector:4318")):
            pass


@pytest.mark.slow
def test_nothing_is_loaded_at_the_start_for_metrics_or_for_spans() -> None:
    subprocess.run([sys.executable, "-c", NOT_IMPORTED], check=True)


async def test_a_collector_that_is_away_holds_up_neither_jobs_nor_the_end() -> None:
    with running_collector() as collector:
        gone = collector.url
    async with serve_all(otel_exporter_otlp_endpoint=gone, simulation_pictures="blank") as opened:
        done = await opened.run(template())
    assert done["lastEvent"]["type"] == "Succeeded"


def _recording() -> tuple[list[Span], Application]:
    """An app whose spans are kept here."""
    spans: list[Span] = []
    application = Application(make_settings(simulation_pictures="blank"))
    application._metrics.record_span = spans.append
    return spans, application


async def _run(opened: Opened, headers: dict[str, str]) -> None:
    done = await opened.run(template(), headers=headers)
    assert done["lastEvent"]["type"] == "Succeeded"
