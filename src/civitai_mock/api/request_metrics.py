"""Count requests, and time them, by the template of their route, the method and the status."""

from collections.abc import Iterable
from http import HTTPStatus
from time import time_ns

from starlette.routing import BaseRoute, Route

from civitai_mock.api.exchange import Exchange
from civitai_mock.ports import Metrics, Span, SpanKind
from civitai_mock.services.tracing import is_recorded, parent_of

NANOSECONDS = 1_000_000_000
UNROUTED, OTHER_METHOD = "none", "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Writes one observation for each request, and a span where these are recorded; no caller can invent a label."""

    def __init__(self, metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
        self._metrics = metrics
        self._observe = metrics.requests.observe
        self._templates: dict[object, str] = {}
        self.add_routes(routes)

    def add_routes(self, routes: Iterable[BaseRoute]) -> None:
        """Know these routes from now on."""
        plain = [route for route in routes if isinstance(route, Route)]
        self._templates |= {route.endpoint: route.path_format for route in plain}

    @property
    def records_spans(self) -> bool:
        return self._metrics.record_span is not None

    def count(self, exchange: Exchange, status: int, seconds: float) -> str | None:
        """Count a request that is over, and took so many seconds; return the template of the route that it reached."""
        method = exchange.method if exchange.method in METHODS else OTHER_METHOD
        template = self._template(exchange)
        self._observe((template, method, status), seconds)
        if self._metrics.record_span is not None and is_recorded(exchange.trace_id):
            self._metrics.record_span(_span_of(exchange, template, status, seconds))
        return None if template is UNROUTED else template

    def _template(self, exchange: Exchange) -> str:
        """Return the template of the route that was reached, as whoever chose it has noted in the scope."""
        scope = exchange.scope
        route = scope.get("route")  # by FastAPI's router; Starlette's notes only the endpoint
        return self._templates.get(scope.get("endpoint"), UNROUTED) if route is None else str(route.path_format)


def _span_of(exchange: Exchange, template: str, status: int, seconds: float) -> Span:
    ended_ns = time_ns()
    return Span(
        name=f"{exchange.method} {template}",
        kind=SpanKind.SERVER,
        trace_id=exchange.trace_id,
        parent=parent_of(exchange.header(b"traceparent")),
        started_ns=ended_ns - int(seconds * NANOSECONDS),
        ended_ns=ended_ns,
        attributes={
            "http.request.method": exchange.method,
            "http.route": template,
            "http.response.status_code": status,
        },
        error=HTTPStatus(status).phrase if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
    )
