"""The app: routes, middleware, error handlers and its own description, with nothing open yet."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import Lifespan

from civitai_mock.api import blobs, system
from civitai_mock.api.access import Access, AccessMiddleware, TrustedProxies
from civitai_mock.api.base_path import ClientCompatMiddleware, SlashMiddleware
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.context import ApiContext, ApiOptions, UseCases
from civitai_mock.api.errors import ProblemDetails, UnexpectedErrors, handle_errors
from civitai_mock.api.openapi_routes import SCHEMAS_PATH, DescribedRoute, Schema
from civitai_mock.api.request_log import TraceMiddleware
from civitai_mock.api.ui import pages, static_files
from civitai_mock.api.v1 import account, artifacts, jobs, query_and_taint
from civitai_mock.api.v2 import resources
from civitai_mock.services.host_policy import Network

# As in the official description; this server asks for no key, so it may be missing.
API_KEY = {"type": "apiKey", "name": "Authorization", "in": "header"}
SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}]


def describe_api(
    *, title: str, version: str, routes: Sequence[BaseRoute], extra_schemas: Sequence[Schema]
) -> dict[str, Any]:
    """`extra_schemas` are those of FastAPI's routes; of the bodies that are read by hand FastAPI knows nothing."""
    document = get_openapi(title=title, version=version, routes=routes)
    plain = [route for route in routes if isinstance(route, DescribedRoute)]
    paths: dict[str, dict[str, Any]] = document["paths"]
    for route in plain:
        paths.setdefault(route.path_format, {})[route.method] = route.operation.describe()
    schemas = [schema for route in plain for schema in route.operation.schemas]
    components = document["components"]["schemas"] | _definitions([ProblemDetails, *schemas, *extra_schemas])
    return document | {
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"ApiKey": API_KEY},
        },
        "security": SECURITY,
    }


def _definitions(schemas: Sequence[Schema]) -> dict[str, Any]:
    """Each schema under its own name, with all that it refers to."""
    adapters: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (schema.__name__, "validation", TypeAdapter(schema)) for schema in dict.fromkeys(schemas)
    ]
    _, document = TypeAdapter.json_schemas(
        adapters, ref_template=SCHEMAS_PATH + "{model}", schema_generator=WithoutFieldTitles
    )
    definitions: dict[str, Any] = document["$defs"]
    return definitions


class WithoutFieldTitles(GenerateJsonSchema):
    """`Expireat` above `expireAt` tells nobody anything."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


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
            *query_and_taint.ROUTES,
            *account.ROUTES,
            *artifacts.ROUTES,
            *blobs.ROUTES,
            *pages.ROUTES,
            *static_files.ROUTES,
        ],
        middleware=[
            Middleware(TrustedProxies, networks=trusted_proxies),
            Middleware(TraceMiddleware),
            Middleware(UnexpectedErrors),
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
