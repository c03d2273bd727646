"""Answer the routes that are called most without the router: getting a job, submitting jobs, downloading a blob."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from civitai_mock.api.answer_cache import answers_of
from civitai_mock.api.exchange import Exchange
from civitai_mock.api.late_imports import loaded_endpoint
from civitai_mock.api.openapi import DescribedRoute, Endpoint

PathParams: TypeAlias = Mapping[str, str]


class HotRoutes:
    """Calls the endpoints of `routes`, whose paths are fixed or end with a parameter, which is one part of the path.

    It finds them by look-ups, where the router tries one pattern after the other, and FastAPI puts six layers around
    each. What it does not find it leaves to the router: other methods (HEAD, too) and other routes.
    """

    def __init__(self, routes: Iterable[DescribedRoute]) -> None:
        self._fixed: dict[tuple[str, str], Endpoint] = {}
        self._with_parameter: dict[tuple[str, str], tuple[Endpoint, str]] = {}
        for route in routes:
            parent, _, last = route.path.rpartition("/")
            if last.startswith("{"):
                self._with_parameter[route.method.upper(), parent] = (route.endpoint, last.strip("{}"))
            else:
                self._fixed[route.method.upper(), route.path] = route.endpoint

    async def response(self, exchange: Exchange, scope: Scope, receive: Receive) -> Response | None:
        """Return the answer of a hot route, or one that was kept; None if this request is for another."""
        if exchange.method == "GET":
            kept = await answers_of(scope).find(exchange)
            if kept is not None:
                scope["endpoint"] = kept.endpoint
                return kept.response
        found = self._find(exchange.method, scope["path"])
        if found is None or scope.get("root_path"):
            return None
        endpoint, scope["path_params"] = found
        scope["endpoint"] = endpoint
        return await loaded_endpoint(endpoint)(Request(scope, receive))

    def _find(self, method: str, path: str) -> tuple[Endpoint, PathParams] | None:
        endpoint = self._fixed.get((method, path))
        if endpoint is not None:
            return endpoint, {}
        parent, _, last = path.rpartition("/")
        found = self._with_parameter.get((method, parent))
        return None if found is None else (found[0], {found[1]: last})
