"""Make the app: a pipeline with hot routes, and all routes behind it, with nothing open yet."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from civitai_mock.api import blobs, health
from civitai_mock.api.access import Access, TrustedProxies
from civitai_mock.api.answer_cache import AnswerCache
from civitai_mock.api.body_budget import BodyBudget
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.errors import on_http_error, on_mock_error
from civitai_mock.api.exchange import ApiContext, ApiOptions, ServedNamespaces
from civitai_mock.api.hot_routes import HotRoutes
from civitai_mock.api.late_imports import imported
from civitai_mock.api.mock import is_control_path, is_page_path
from civitai_mock.api.openapi import DescribedRoute
from civitai_mock.api.pipeline import RequestPipeline
from civitai_mock.api.request_journal import RequestJournal
from civitai_mock.api.request_log import RequestLog
from civitai_mock.api.request_metrics import RequestMetrics
from civitai_mock.api.stream_slots import StreamSlots
from civitai_mock.api.stream_tokens import STREAM_PATH
from civitai_mock.api.ui import pages, static_files
from civitai_mock.api.v1 import account, artifacts, events, jobs, query_and_taint
from civitai_mock.api.v2 import archives, route_table, uploads
from civitai_mock.api.v2 import blobs as v2_blobs
from civitai_mock.domain.errors import MockError
from civitai_mock.ports import Metrics
from civitai_mock.services.host_policy import Network

if TYPE_CHECKING:
    from civitai_mock.api.fastapi_app import FastApiApp

FASTAPI_APP = "civitai_mock.api.fastapi_app"  # the module that `Api.all_routes` loads
SOCKETS = "civitai_mock.api.event_stream.web_sockets"
CONTROL_ROUTES = "civitai_mock.api.mock.route_table"  # the module that `Api.control_routes` loads
DASHBOARD = "civitai_mock.api.ui.dashboard"
# The plain ones; `make_fastapi_app` adds FastAPI's.
ROUTES: Sequence[Route] = [
    *health.ROUTES,
    *events.ROUTES,
    *jobs.ROUTES,
    *query_and_taint.ROUTES,
    *account.ROUTES,
    *artifacts.ROUTES,
    *blobs.ROUTES,
    *uploads.ROUTES,
    *v2_blobs.ROUTES,
    *archives.ROUTES,
    *route_table.ROUTES,
    *pages.ROUTES,
    *static_files.ROUTES,
]


def make_api(
    *,
    options: ApiOptions,
    access: Access,
    trusted_proxies: Sequence[Network],
    metrics: Metrics,
    lifespan: Lifespan[Starlette] | None = None,
    request_log: RequestLog | None = None,
    keeps_journal: bool = False,
    only_system: bool = False,
) -> "Api":
    """Return the app; `lifespan` opens namespaces, and has the app `serve` them.

    Requests are counted in `metrics`, and recorded if each namespace `keeps_journal`. With `only_system`, health and
    metrics are all that is served.
    """
    app = Api(
        lifespan=lifespan,
        version=options.version,
        only_system=only_system,
        has_control_plane=access.control.is_on and not only_system,
    )
    app.answers = AnswerCache()
    app.make_context = partial(
        ApiContext,
        options=options,
        client_hints=ClientHints(options.vocabularies),
        bodies=BodyBudget(options.max_bodies_bytes),
        keeps_journal=keeps_journal,
        streams=StreamSlots(options.max_streams),
        shows_page_to=access.control.shows_page_to,
    )
    app.pipeline = RequestPipeline(
        routes=app.answer_by_router,
        hot_routes=HotRoutes(route for route in app.plain_routes if isinstance(route, DescribedRoute) and route.is_hot),
        trusted_proxies=TrustedProxies(trusted_proxies),
        access=access,
        request_log=request_log or RequestLog(),
        request_journal=RequestJournal() if keeps_journal else None,
        request_metrics=RequestMetrics(metrics, app.plain_routes),
    )
    return app


class Api(Starlette):
    """An app behind a pipeline for HTTP requests; `all_routes` answers those that are for no hot route.

    `all_routes` is made at first use: see `fastapi_app`. So are the `control_routes`, which have a router of their own.
    """

    answers: AnswerCache
    context: ApiContext
    make_context: Callable[..., ApiContext]
    pipeline: RequestPipeline

    def __init__(
        self, *, lifespan: Lifespan[Starlette] | None, version: str, only_system: bool, has_control_plane: bool
    ) -> None:
        super().__init__(lifespan=lifespan)
        self.plain_routes: Sequence[Route] = health.ROUTES if only_system else ROUTES
        self._version = version
        self._only_system = only_system
        self._has_control_plane = has_control_plane
        self._page_router: ASGIApp | None = None

    def serve(self, namespaces: ServedNamespaces) -> None:
        """Answer requests from now on, which are for these namespaces."""
        self.context = self.make_context(namespaces=namespaces)

    @cached_property
    def all_routes(self) -> "FastApiApp":
        app = _fastapi_app(self._version, only_system=self._only_system, describes_control=self._has_control_plane)
        self.pipeline.request_metrics.add_routes(app.routes)
        return app

    @cached_property
    def control_routes(self) -> Sequence[Route]:
        routes = _load_control_routes() if self._has_control_plane else ()
        self.pipeline.request_metrics.add_routes(routes)
        return routes

    def each_route(self) -> Iterator[Route]:
        """Yield all routes, those first that are called most."""
        yield from self.plain_routes
        yield from self.all_routes.own_routes
        yield from self.control_routes

    @property
    def routes(self) -> list[BaseRoute]:
        return [*self.all_routes.routes, *self.control_routes]

    @cached_property
    def plain_paths(self) -> frozenset[str]:
        """Return most paths of the OpenAPI description, which takes two seconds to make."""
        return frozenset(route.path_format for route in (*self.plain_routes, *self.control_routes))

    def described_paths(self) -> frozenset[str]:
        """Return all of them; this may run beside the event loop."""
        return frozenset(self.all_routes.openapi()["paths"])

    async def answer_by_router(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._has_control_plane and is_control_path(scope["path"]):
            if is_page_path(scope["path"]):
                await self._serve_page(scope, receive, send)
                return
            await imported(CONTROL_ROUTES)
            await self._control_router(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket" and STREAM_PATH.search(scope["path"]):
                await self._serve_socket(scope, receive, send)
                return
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.pipeline(scope, receive, send)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve_socket = (await imported(SOCKETS)).serve_socket  # mostly nobody listens
        await serve_socket(self, self.pipeline.access.control.origins, scope, receive, send)

    async def _serve_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        dashboard = await imported(DASHBOARD)
        if self._page_router is None:
            self.pipeline.request_metrics.add_routes(dashboard.ROUTES)
            self._page_router = _plain_router(dashboard.ROUTES)
        await self._page_router(scope, receive, send)

    @cached_property
    def _router(self) -> ASGIApp:
        return self.all_routes.build_middleware_stack()

    @cached_property
    def _control_router(self) -> ASGIApp:
        return _plain_router(self.control_routes)


def _plain_router(routes: Sequence[BaseRoute]) -> ASGIApp:
    router = Router(list(routes), redirect_slashes=False)
    return ExceptionMiddleware(router, handlers={MockError: on_mock_error, HTTPException: on_http_error})


@cache
def _fastapi_app(version: str, *, only_system: bool, describes_control: bool) -> "FastApiApp":
    """Make one for all apps of a process that have the same routes, as it knows nothing of what they serve."""
    from civitai_mock.api.fastapi_app import make_fastapi_app  # noqa: PLC0415 - see there

    return make_fastapi_app(
        health.ROUTES if only_system else ROUTES,
        version=version,
        only_system=only_system,
        load_others=_load_control_routes if describes_control else list,
    )


def _load_control_routes() -> Sequence[Route]:
    from civitai_mock.api.mock.route_table import ROUTES as CONTROL  # noqa: PLC0415 - only needed here

    return CONTROL
