"""Count requests, and time them, by the template of their route, the method and the status."""

from collections.abc import Iterable
from time import perf_counter

from starlette.routing import BaseRoute, Route

from civitai_mock.api.context import Exchange
from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST
from civitai_mock.ports import Metrics

UNROUTED, OTHER_METHOD = "none", "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Writes one observation for each request; no caller can invent a label."""

    def __init__(self, metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
        self._observe = metrics.requests.observe
        plain = [route for route in routes if isinstance(route, Route)]
        self._templates: dict[object, str] = {route.endpoint: route.path_format for route in plain}

    def count(self, exchange: Exchange) -> None:
        """Count a request that is over."""
        method = exchange.method if exchange.method in METHODS else OTHER_METHOD
        status = exchange.status or CLIENT_CLOSED_REQUEST
        self._observe((self._template(exchange), method, status), perf_counter() - exchange.started)

    def _template(self, exchange: Exchange) -> str:
        """Return the template of the route that was reached, as whoever chose it has noted in the scope."""
        scope = exchange.scope
        route = scope.get("route")  # by FastAPI's router; Starlette's notes only the endpoint
        return self._templates.get(scope.get("endpoint"), UNROUTED) if route is None else str(route.path_format)
