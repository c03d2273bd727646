"""Make the app: routes, middleware, error handlers and its own description, with nothing open yet."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from civitai_mock.api import blobs, system
from civitai_mock.api.access import Access, TrustedProxies
from civitai_mock.api.answer_cache import AnswerCache
from civitai_mock.api.body_budget import BodyBudget
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.context import ApiContext, ApiOptions, Exchange, UseCases
from civitai_mock.api.errors import handle_errors
from civitai_mock.api.hot_routes import HotRoutes
from civitai_mock.api.openapi import DescribedRoute, describe_api
from civitai_mock.api.pipeline import RequestPipeline
from civitai_mock.api.request_log import RequestLog
from civitai_mock.api.request_metrics import RequestMetrics
from civitai_mock.api.ui import pages, static_files
from civitai_mock.api.v1 import account, artifacts, jobs, query_and_taint
from civitai_mock.api.v2 import blobs as v2_blobs
from civitai_mock.api.v2 import resources
from civitai_mock.ports import Metrics
from civitai_mock.services.host_policy import Network

ROUTES: Sequence[BaseRoute] = [
    *jobs.ROUTES,
    *query_and_taint.ROUTES,
    *account.ROUTES,
    *artifacts.ROUTES,
    *blobs.ROUTES,
    *v2_blobs.ROUTES,
    *pages.ROUTES,
    *static_files.ROUTES,
]


def make_api(
    *,
    options: ApiOptions,
    use_cases_of: Callable[[Exchange], UseCases],
    access: Access,
    trusted_proxies: Sequence[Network],
    metrics: Metrics,
    lifespan: Lifespan[FastAPI] | None = None,
    request_log: RequestLog | None = None,
    only_system: bool = False,
) -> "Api":
    """Return the app; `lifespan` opens the stores that the use cases of `use_cases_of` work on.

    Requests are counted in `metrics`. With `only_system`, health and metrics are all that is served.
    """
    app = Api(
        title=system.NAME,
        version=options.version,
        lifespan=lifespan,
        routes=[] if only_system else list(ROUTES),
        docs_url=None,  # FastAPI's own pages load their scripts from a CDN
        redoc_url=None,
        openapi_url=system.OPENAPI_URL,
        redirect_slashes=False,
    )
    app.answers = AnswerCache()
    app.context = ApiContext(
        options=options,
        client_hints=ClientHints(options.vocabularies),
        bodies=BodyBudget(options.max_bodies_bytes),
        use_cases_of=use_cases_of,
    )
    for router in [system.router] if only_system else [resources.router, system.router, system.index_router]:
        app.include_router(router)
    handle_errors(app)
    app.pipeline = RequestPipeline(
        routes=app.build_middleware_stack(),
        hot_routes=HotRoutes(route for route in app.routes if isinstance(route, DescribedRoute) and route.is_hot),
        trusted_proxies=TrustedProxies(trusted_proxies),
        access=access,
        request_log=request_log or RequestLog(),
        request_metrics=RequestMetrics(metrics, app.routes),
    )
    return app


class Api(FastAPI):
    """A FastAPI app behind a pipeline for HTTP requests, whose description has the plain routes, too."""

    answers: AnswerCache
    context: ApiContext
    pipeline: RequestPipeline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.pipeline(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Return the routes with the handlers of their errors; the pipeline does what other middleware would do."""
        return ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers)

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = describe_api(
                title=self.title,
                version=self.version,
                routes=self.routes,
                extra_schemas=[*resources.SCHEMAS, *system.SCHEMAS],
            )
        return self.openapi_schema
