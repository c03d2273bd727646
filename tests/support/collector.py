"""A host that takes spans as an OpenTelemetry collector does, and callbacks."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

PATIENCE_SECONDS = 60.0


class Collector:
    """Keeps what it was sent, by path: the headers and the body of each request."""

    def __init__(self) -> None:
        self.port = 0
        self._requests: list[tuple[str, dict[str, str], bytes]] = []
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self._changed:
            self._requests.append((path, headers, body))
            self._changed.notify_all()

    def headers_at(self, path: str) -> Sequence[dict[str, str]]:
        return [headers for found, headers, _ in self._requests if found == path]

    def bodies_at(self, path: str) -> Sequence[bytes]:
        return [body for found, _, body in self._requests if found == path]

    @property
    def resources(self) -> Sequence[ResourceSpans]:
        bodies = [body for path, _, body in self._requests if path == "/v1/traces"]
        return [spans for body in bodies for spans in ExportTraceServiceRequest.FromString(body).resource_spans]

    @property
    def spans(self) -> Sequence[Span]:
        return [span for spans in self.resources for scope in spans.scope_spans for span in scope.spans]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_SECONDS), [span.name for span in self.spans]


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
