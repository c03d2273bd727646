"""The FastAPI app with all routes: it answers what no hot route does, and describes the API.

It is loaded soon after the start, or for the first request that needs it: FastAPI takes a quarter of the start.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from civitai_mock.api import system
from civitai_mock.api.errors import on_http_error, on_mock_error, problem
from civitai_mock.api.openapi_document import describe_api
from civitai_mock.api.responses import ProblemResponse
from civitai_mock.api.v2 import resources
from civitai_mock.domain.errors import InvalidRequestError, MockError


def make_fastapi_app(
    plain: Sequence[BaseRoute],
    *,
    version: str,
    only_system: bool,
    load_others: Callable[[], Sequence[BaseRoute]] = list,
) -> "FastApiApp":
    """Return an app with the plain routes and those of FastAPI, of which `only_system` leaves the metrics.

    It describes those that `load_others` loads as well, but does not answer them.
    """
    app = FastApiApp(
        title=system.NAME,
        version=version,
        routes=list(plain),
        docs_url=None,  # FastAPI's own pages load their scripts from a CDN
        redoc_url=None,
        openapi_url=system.OPENAPI_URL,
        redirect_slashes=False,
    )
    app.load_others = load_others
    routers = [system.router] if only_system else [resources.router, system.router, system.index_router]
    for router in routers:
        app.include_router(router)
    app.own_routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    app.add_exception_handler(MockError, on_mock_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    return app


class FastApiApp(FastAPI):
    """A FastAPI app whose description has the plain routes, too, and those of `load_others`.

    `own_routes` are all others: FastAPI has them in routers, into which nobody can look.
    """

    own_routes: Sequence[Route]
    load_others: Callable[[], Sequence[BaseRoute]]

    def build_middleware_stack(self) -> ASGIApp:
        """Return the routes with the handlers of their errors; the pipeline does what other middleware would do."""
        return ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers)

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            from civitai_mock.api.v2.official_operations import official_schemas  # noqa: PLC0415 - only needed here

            self.openapi_schema = describe_api(
                title=self.title,
                version=self.version,
                routes=[*self.routes, *self.load_others()],
                extra_schemas=[*resources.SCHEMAS, *system.SCHEMAS],
                official_schemas=official_schemas(),
            )
        return self.openapi_schema


async def on_validation_error(request: Request, error: Exception) -> ProblemResponse:
    """Answer 400 for a query parameter of a FastAPI route, as the real service does where FastAPI says 422."""
    details = error.errors() if isinstance(error, RequestValidationError) else []
    errors = {str(detail["loc"][-1]): [detail["msg"]] for detail in details}
    return problem(request, 400, code=InvalidRequestError.code, errors=errors)
