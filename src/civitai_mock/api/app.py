"""Make the app: routes, middleware, error handlers and its own description, with nothing open yet."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import Lifespan

from civitai_mock.api import blobs, system
from civitai_mock.api.access import Access, AccessMiddleware, TrustedProxyMiddleware
from civitai_mock.api.base_path import ClientCompatMiddleware, SlashMiddleware
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.context import ApiContext, ApiOptions, UseCases
from civitai_mock.api.errors import handle_errors
from civitai_mock.api.openapi import describe_api
from civitai_mock.api.request_log import RequestLogMiddleware, UnexpectedErrorMiddleware
from civitai_mock.api.ui import pages, static_files
from civitai_mock.api.v1 import account, artifacts, jobs, query_and_taint
from civitai_mock.api.v2 import resources
from civitai_mock.services.host_policy import Network


def make_api(
    *,
    options: ApiOptions,
    use_cases_of: Callable[[Request], UseCases],
    access: Access,
    trusted_proxies: Sequence[Network],
    lifespan: Lifespan[FastAPI],
) -> FastAPI:
    """Return the app; `lifespan` opens the stores that the use cases of `use_cases_of` work on."""
    app = Api(
        title=system.NAME,
        version=options.version,
        lifespan=lifespan,
        routes=[
            *jobs.ROUTES,
            *query_and_taint.ROUTES,
            *account.ROUTES,
            *artifacts.ROUTES,
            *blobs.ROUTES,
            *pages.ROUTES,
            *static_files.ROUTES,
        ],
        middleware=[
            Middleware(TrustedProxyMiddleware, networks=trusted_proxies),
            Middleware(RequestLogMiddleware),
            Middleware(UnexpectedErrorMiddleware),
            Middleware(SlashMiddleware),
            Middleware(ClientCompatMiddleware),
            Middleware(AccessMiddleware, access=access),
        ],
        docs_url=None,  # FastAPI's own pages load their scripts from a CDN
        redoc_url=None,
        openapi_url=system.OPENAPI_URL,
        redirect_slashes=False,
    )
    app.state.context = ApiContext(
        options=options, client_hints=ClientHints(options.vocabularies), use_cases_of=use_cases_of
    )
    app.include_router(resources.router)
    app.include_router(system.router)
    handle_errors(app)
    return app


class Api(FastAPI):
    """A FastAPI app whose description has the plain routes, too."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = describe_api(
                title=self.title,
                version=self.version,
                routes=self.routes,
                extra_schemas=[*resources.SCHEMAS, *system.SCHEMAS],
            )
        return self.openapi_schema
