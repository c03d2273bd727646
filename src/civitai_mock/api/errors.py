"""Turn errors into responses: this is the one place that knows which HTTP status and which body an error has."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NotRequired

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match
from typing_extensions import TypedDict

from civitai_mock.api.body_budget import TooManyBodiesError
from civitai_mock.api.context import trace_id
from civitai_mock.api.rate_limit import RateLimitedError
from civitai_mock.api.responses import JsonResponse, ProblemResponse
from civitai_mock.api.stream_slots import TooManyStreamsError
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InsufficientBuzzError,
    InvalidRequestError,
    MockError,
    NotDrawnError,
    NotFoundError,
    NotVerifiedError,
    QueueFullError,
    TransientError,
    UnauthorizedError,
    UndecodableFileError,
    UnsupportedMediaTypeError,
)
from civitai_mock.domain.json_types import ReadOnlyJson

HeaderFields = Mapping[str, str]
Errors = Mapping[str, Sequence[str]]

CLIENT_CLOSED_REQUEST = 499  # in access lines only: nobody is there to be answered
INVALID_TITLE = "One or more validation errors occurred."
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
RETRY_SECONDS = 1
INSUFFICIENT_BUZZ = {"error": "Insufficient Buzz"}  # the whole body; it is not a problem document


class ProblemDetails(TypedDict):
    """The body of an error: it follows RFC 9457, with `traceId` and `errors` of ASP.NET and a `code` for programs."""

    type: str
    title: str
    status: int
    detail: NotRequired[str]
    traceId: str
    code: str
    errors: NotRequired[Errors]


class _DetailMember(TypedDict, total=False):
    detail: str


class _ErrorsMember(TypedDict, total=False):
    errors: Errors


class BodyTooLargeError(MockError):
    """The body has more bytes than MAX_BODY_BYTES, or a file more than UPLOAD_MAX_BYTES."""

    code = "body_too_large"


class BodyTimeoutError(MockError):
    """The body did not arrive within BODY_TIMEOUT_S."""

    code = "body_timeout"


class RangeNotSatisfiableError(MockError):
    """The requested range has no byte of the blob, which has `size` bytes."""

    code = "range_not_satisfiable"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message, size=size)
        self.size = size


class NotAcceptableError(MockError):
    """The caller takes no answer of the type that this one has."""

    code = "not_acceptable"


class RecipeTimeoutError(MockError):
    """The step of a recipe was not done within WORKFLOW_WAIT_LIMIT_S, and was canceled."""

    code = "recipe_timeout"


@dataclass(frozen=True, slots=True)
class StatusDescription:
    """Describes an HTTP status as ASP.NET does; `section` is the one of its RFC."""

    title: str
    section: str
    rfc: int = 9110

    @property
    def url(self) -> str:
        return f"https://tools.ietf.org/html/rfc{self.rfc}#section-{self.section}"


STATUSES: Mapping[int, StatusDescription] = {
    400: StatusDescription("Bad Request", "15.5.1"),
    401: StatusDescription("Unauthorized", "15.5.2"),
    403: StatusDescription("Forbidden", "15.5.4"),
    404: StatusDescription("Not Found", "15.5.5"),
    405: StatusDescription("Method Not Allowed", "15.5.6"),
    406: StatusDescription("Not Acceptable", "15.5.7"),
    408: StatusDescription("Request Timeout", "15.5.9"),
    409: StatusDescription("Conflict", "15.5.10"),
    410: StatusDescription("Gone", "15.5.11"),
    413: StatusDescription("Content Too Large", "15.5.14"),
    415: StatusDescription("Unsupported Media Type", "15.5.16"),
    416: StatusDescription("Range Not Satisfiable", "15.5.17"),
    422: StatusDescription("Unprocessable Content", "15.5.21"),
    429: StatusDescription("Too Many Requests", "4", rfc=6585),
    500: StatusDescription("An error occurred while processing your request.", "15.6.1"),
    503: StatusDescription("Service Unavailable", "15.6.4"),
    504: StatusDescription("Gateway Timeout", "15.6.5"),
}
USUAL_SECTIONS = {4: "15.5", 5: "15.6"}  # of the classes of statuses
STATUS_OF: Mapping[type[MockError], int] = {
    InvalidRequestError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    NotAcceptableError: 406,
    BodyTimeoutError: 408,
    ConflictError: 409,
    NotVerifiedError: 409,
    GoneError: 410,
    BodyTooLargeError: 413,
    UnsupportedMediaTypeError: 415,
    RangeNotSatisfiableError: 416,
    UndecodableFileError: 422,
    RateLimitedError: 429,
    NotDrawnError: 500,
    TooManyBodiesError: 503,
    QueueFullError: 503,
    TooManyStreamsError: 503,
    TransientError: 503,
    RecipeTimeoutError: 504,
}


def problem(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    code: str,
    errors: Errors | None = None,
    headers: HeaderFields | None = None,
    members: ReadOnlyJson | None = None,
) -> ProblemResponse:
    """Return the problem document, with `members` of its own; a detail that says no more than the title is left out."""
    known = STATUSES.get(status) or _unlisted(status)
    title = INVALID_TITLE if errors else known.title
    detail_member: _DetailMember = {"detail": detail} if detail and detail != title else {}
    errors_member: _ErrorsMember = {"errors": errors} if errors else {}
    details: ProblemDetails = {
        "type": known.url,
        "title": title,
        "status": status,
        **detail_member,
        "traceId": trace_id(request),
        "code": code,
        **errors_member,
    }
    return ProblemResponse({**details, **(members or {})}, status_code=status, headers=headers)


def code_of(status: int) -> str:
    """Return the code of the error that has a status; that of any error, if none has."""
    return next((error.code for error, found in STATUS_OF.items() if found == status), MockError.code)


def _unlisted(status: int) -> StatusDescription:
    """Describe a status that no error of this server has."""
    phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else f"Status {status}"
    return StatusDescription(phrase, USUAL_SECTIONS[status // 100])


async def on_mock_error(request: Request, error: Exception) -> JsonResponse:
    return error_response(request, error)


def error_response(request: Request, error: Exception) -> JsonResponse:
    """Answer by the nearest class of `MockError` that has a status; an error without one is a bug, and is raised."""
    if isinstance(error, InsufficientBuzzError):
        return JsonResponse(INSUFFICIENT_BUZZ, status_code=403)
    status = next((STATUS_OF[branch] for branch in type(error).__mro__ if branch in STATUS_OF), None)
    if not isinstance(error, MockError) or status is None:
        raise error
    errors = error.errors if isinstance(error, InvalidRequestError) else None
    members = error.members if isinstance(error, NotVerifiedError) else None
    return problem(
        request, status, error.message, code=error.code, errors=errors, headers=_headers(error), members=members
    )


def _headers(error: MockError) -> HeaderFields | None:
    match error:
        case UnauthorizedError():
            return {"www-authenticate": "Bearer"}
        case RateLimitedError():
            return {"retry-after": str(error.retry_after)}
        case TransientError() | TooManyBodiesError():
            return {"retry-after": str(RETRY_SECONDS)}
        case RangeNotSatisfiableError():
            return {"content-range": f"bytes */{error.size}"}
        case BodyTimeoutError():
            return {"connection": "close"}  # what is still to come of the body would be taken for the next request
    return None


async def on_http_error(request: Request, error: Exception) -> ProblemResponse:
    """Answer what the router refuses: an unknown path, or a method that a path does not have."""
    status = error.status_code if isinstance(error, HTTPException) else None
    if status == 404:
        return problem(request, 404, f"There is nothing at '{request.url.path}'.", code=NotFoundError.code)
    if status == 405:
        allowed = ", ".join(_allowed_methods(request))
        headers = {"allow": allowed}
        return problem(request, 405, f"Allowed here: {allowed}.", code="method_not_allowed", headers=headers)
    raise error


def _allowed_methods(request: Request) -> list[str]:
    """List the methods of a path; Starlette's own list covers only the first of several routes."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    return [name for name, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]
