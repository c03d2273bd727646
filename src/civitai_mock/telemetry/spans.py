"""Export spans to an OpenTelemetry collector, as OTLP over HTTP; this needs the extra `otel`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from civitai_mock.ports import RecordSpan, Span

TRACES_PATH = "/v1/traces"
SCOPE = "civitai_mock"
TIMEOUT_SECONDS = 2.0  # of one export; what a collector does not take by then is tried again
PAUSE_MS = 1000.0
MOST_WAITING, MOST_AT_ONCE = 8192, 512  # more is dropped: a collector that is away must not fill the memory
HEX = 16


class GivenIds(IdGenerator):
    """Gives a span the ids that it has already: those that were logged, answered and sent out."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class SpanExport:
    """Hands spans on; a thread of OpenTelemetry's sends them by and by."""

    def __init__(self, *, endpoint: str, headers: Mapping[str, str], service: str, version: str) -> None:
        """Send to `endpoint`, to which the path of traces is added, as OpenTelemetry defines it."""
        self._ids = GivenIds()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,  # what is not to be recorded does not come here
            resource=Resource({"service.name": service, "service.version": version}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(
            endpoint=endpoint.rstrip("/") + TRACES_PATH, headers=dict(headers), timeout=TIMEOUT_SECONDS
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=PAUSE_MS,
                max_export_batch_size=MOST_AT_ONCE,
                export_timeout_millis=TIMEOUT_SECONDS * 1000,
            )
        )
        self._tracer = self._provider.get_tracer(SCOPE, version)

    def record(self, span: Span) -> None:
        context = _context_of(span.trace_id)
        self._ids.trace_id, self._ids.span_id = context.trace_id, context.span_id
        parent = set_span_in_context(NonRecordingSpan(_context_of(span.parent))) if span.parent else None
        exported = self._tracer.start_span(
            span.name,
            context=parent,
            kind=SpanKind[span.kind.name],
            attributes=span.attributes,
            start_time=span.started_ns,
        )
        if span.error is not None:
            exported.set_status(Status(StatusCode.ERROR, span.error))
        exported.end(span.ended_ns)

    def close(self) -> None:
        """Send what is left, and wait for that."""
        self._provider.shutdown()


@asynccontextmanager
async def exporting_spans(
    *, endpoint: str, headers: Mapping[str, str], service: str, version: str
) -> AsyncIterator[RecordSpan]:
    """Export what is recorded until the end of the block."""
    export = SpanExport(endpoint=endpoint, headers=headers, service=service, version=version)
    try:
        yield export.record
    finally:
        await asyncio.to_thread(export.close)


def _context_of(trace_id: str) -> SpanContext:
    """Return the ids of a span in OpenTelemetry's form."""
    _, trace, span, *_ = trace_id.split("-")
    return SpanContext(int(trace, HEX), int(span, HEX), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
