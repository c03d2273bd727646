"""Say nothing to whoever asks for a blob of which nobody gets an answer, and end the connection in the end."""

from functools import partial, wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from civitai_mock.api.broken_connection import break_off
from civitai_mock.api.context import exchange, while_connected
from civitai_mock.api.openapi import Endpoint
from civitai_mock.services.blob_reading import SilentBlobError

FOR_EVER = 365 * 24 * 3600  # seconds


class ClosedConnection(Response):
    """Is an answer that closes the connection before it has begun."""

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        await break_off(scope, send, resets=False, has_begun=False)


def may_be_silent(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that says nothing where `endpoint` raises `SilentBlobError`."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SilentBlobError as error:
            return await _be_silent(request, error)

    return answer


async def _be_silent(request: Request, error: SilentBlobError) -> Response:
    """Wait in real time, until the caller goes away or the namespace ends."""
    seconds = FOR_EVER if error.lasts is None else error.lasts.total_seconds()
    await while_connected(request, partial(exchange(request).namespace.held_answers.hold, seconds))
    return ClosedConnection()
