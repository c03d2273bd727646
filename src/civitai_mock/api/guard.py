"""Who may call v1 and v2, and how often."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.client_address import address_key, peer
from civitai_mock.api.errors import Headers, on_mock_error
from civitai_mock.api.rate_limit import GuessLimit, RateLimit
from civitai_mock.domain.errors import MockError, UnauthorizedError
from civitai_mock.services.consumers import Auth, Authentication, bearer_token, consumer_id

GUARDED = ("/v1/", "/v2/")
PUBLIC = "/v2/resources"  # for those who only read
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is asked of every caller; `rate_limit` is None for any number of requests."""

    authentication: Authentication
    rate_limit: RateLimit | None
    guess_limit: GuessLimit


class Guard:
    """Puts the id of the consumer into `request.state.consumer`; health, docs and blobs are for everybody."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._authentication = access.authentication
        self._rate_limit = access.rate_limit
        self._guess_limit = access.guess_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        request, address = Request(scope), address_key(peer(scope))
        consumer, refusal = self._identified(request, address)
        allowance = self._rate_limit.take(self._rate_key(consumer, address)) if self._rate_limit else None
        answer_with = _adding(allowance.headers, send) if allowance else send
        refusal = (allowance and allowance.refusal("Too many requests")) or refusal
        if refusal is not None:
            await (await on_mock_error(request, refusal))(scope, receive, answer_with)
            return
        request.state.consumer = consumer
        await self._app(scope, receive, answer_with)

    def _identified(self, request: Request, address: str) -> tuple[str | None, MockError | None]:
        """Who calls, where that is asked, or why the caller may not."""
        if request.method in READING and request.url.path.startswith(PUBLIC):
            return None, None  # nor is a token looked at, so that no answer tells whether it is right
        authorization = request.headers.get("authorization")
        guess = bearer_token(authorization) if self._authentication.auth is Auth.TOKENS else None
        guesser = consumer_id(guess) if guess else ""
        if guess and (refusal := self._guess_limit.refusal(address, guesser)):
            return None, refusal
        try:
            consumer = self._authentication.consumer(authorization)
        except UnauthorizedError as error:
            if guess:
                self._guess_limit.was_wrong(address)
            return None, error
        if guess:
            self._guess_limit.was_right(address, guesser)
        return consumer, None

    def _rate_key(self, consumer: str | None, address: str) -> str:
        """A consumer that cannot call itself otherwise; else the address."""
        return consumer if consumer and self._authentication.auth is Auth.TOKENS else address


def _adding(headers: Headers, send: Send) -> Send:
    async def send_adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_adding
