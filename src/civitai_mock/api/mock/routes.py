"""Routes of the control plane: what is the same for all of them, before an endpoint is called."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange
from civitai_mock.api.mock import PREFIX
from civitai_mock.api.mock.bodies import check_known, read_change
from civitai_mock.api.openapi import DescribedRoute, Endpoint, Operation
from civitai_mock.domain.errors import UnsupportedMediaTypeError

JSON = "application/json"
READING = frozenset({"GET", "HEAD"})


class ControlRoute(DescribedRoute):
    """Is a route under `/_mock`; its `path` begins with a slash.

    A change has to be of a media type of its operation, which no form of a web page can send: JSON, if nothing is said.
    A query parameter that the operation does not describe is refused, and so is any member in the body of a DELETE.
    """

    def __init__(self, path: str, endpoint: Endpoint, *, method: str, operation: Operation) -> None:
        takes = operation.media_types or (JSON,)
        query = [str(each["name"]) for each in operation.parameters if each["in"] == "query"]
        super().__init__(
            PREFIX + path,
            _checked(endpoint, method=method, query=query, takes=takes),
            method=method,
            operation=replace(operation, media_types=takes),
        )


def _checked(endpoint: Endpoint, *, method: str, query: Sequence[str], takes: Sequence[str]) -> Endpoint:
    """Return the endpoint of a route, called only for a request that it may answer."""

    async def call(request: Request) -> Response:
        check_known(request.query_params, query, what="query parameter")
        if method not in READING:
            _check_media_type(exchange(request).header(b"content-type"), takes)
        if method == "DELETE":
            await read_change(request, lambda _: None)
        return await endpoint(request)

    return call


def _check_media_type(content_type: str | None, takes: Sequence[str]) -> None:
    """Refuse what a web page can send to another server without being asked: forms, plain text, and no type at all."""
    if content_type is None or content_type.partition(";")[0].strip().lower() not in takes:
        found = "has no Content-Type" if content_type is None else f"is '{content_type[:100]}'"
        raise UnsupportedMediaTypeError(f"The request {found}; expected {' or '.join(takes)}.")
