"""The app: routes, middleware and error handlers, with nothing open yet."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import Lifespan

from civitai_mock.api import blobs, system
from civitai_mock.api.client_address import TrustedProxies
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.compat import Compat
from civitai_mock.api.context import ApiContext, ApiOptions
from civitai_mock.api.errors import UnexpectedErrors, handle_errors
from civitai_mock.api.guard import Access, Guard
from civitai_mock.api.openapi import describe_api
from civitai_mock.api.slashes import Slashes
from civitai_mock.api.trace import TraceMiddleware
from civitai_mock.api.ui import docs, static_files
from civitai_mock.api.use_cases import UseCases
from civitai_mock.api.v1 import account, artifacts, jobs, query, submission, taint
from civitai_mock.api.v2 import resources
from civitai_mock.services.host_policy import Network

__all__ = ["Access", "ApiOptions", "make_api"]


class Api(FastAPI):
    """FastAPI that describes the plain routes, too."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = describe_api(
                title=self.title,
                version=self.version,
                routes=self.routes,
                extra_schemas=[*resources.SCHEMAS, *system.SCHEMAS],
            )
        return self.openapi_schema


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
            *submission.ROUTES,
            *taint.ROUTES,
            *query.ROUTES,
            *account.ROUTES,
            *artifacts.ROUTES,
            *blobs.ROUTES,
            *docs.ROUTES,
            *static_files.ROUTES,
        ],
        middleware=[
            Middleware(TrustedProxies, networks=trusted_proxies),
            Middleware(TraceMiddleware),
            Middleware(UnexpectedErrors),
            Middleware(Slashes),
            Middleware(Compat),
            Middleware(Guard, access=access),
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
