"""Who may call v1 and v2, and how often."""

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.errors import Headers, RateLimitedError, on_mock_error
from civitai_mock.domain.errors import MockError
from civitai_mock.services.consumers import Authentication, bearer_token, consumer_id

if TYPE_CHECKING:
    from civitai_mock.api.rate_limit import Allowance, RateLimit

GUARDED = ("/v1/", "/v2/")
PUBLIC = "/v2/resources"  # for those who only read
READING = frozenset({"GET", "HEAD"})


class Guard:
    """Puts the `Consumer` into `request.state.consumer`; health, docs and blobs are for everybody."""

    def __init__(self, app: ASGIApp, *, authentication: Authentication, rate_limit: "RateLimit | None") -> None:
        self._app = app
        self._authentication = authentication
        self._rate_limit = rate_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        allowance = await self._rate_limit.take(_rate_key(request)) if self._rate_limit else None
        answer_with = _adding(allowance.headers, send) if allowance else send
        try:
            self._admit(request, allowance)
        except MockError as error:
            await (await on_mock_error(request, error))(scope, receive, answer_with)
            return
        await self._app(scope, receive, answer_with)

    def _admit(self, request: Request, allowance: "Allowance | None") -> None:
        if allowance is not None and not allowance.granted:
            raise RateLimitedError(
                f"More than {allowance.limit} requests; wait for {allowance.retry_after} seconds.",
                retry_after=allowance.retry_after,
            )
        if not (request.method in READING and request.url.path.startswith(PUBLIC)):
            request.state.consumer = self._authentication.consumer(request.headers.get("authorization"))


def _rate_key(request: Request) -> str:
    """A token's consumer, whether or not tokens are asked for; else the address."""
    token = bearer_token(request.headers.get("authorization"))
    if token is not None:
        return consumer_id(token)
    return request.client.host if request.client else ""


def _adding(headers: Headers, send: Send) -> Send:
    async def send_adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_adding
