"""Who may call v1 and v2, from which address, and how often."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.errors import HeaderFields, on_mock_error
from civitai_mock.api.rate_limit import GuessLimit, RateLimit
from civitai_mock.domain.errors import MockError, UnauthorizedError
from civitai_mock.services.consumers import Auth, Authentication, bearer_token, consumer_id
from civitai_mock.services.host_policy import Address, Network, parse_address

SUBSCRIBER_BITS = 64  # who has one IPv6 address has all that begin like it
REMEMBERED = 4096
SCHEMES = frozenset({"http", "https"})
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
HOP = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[^:]+):\d+|(?P<bare>.+)", re.ASCII)


@lru_cache(REMEMBERED)
def address_key(host: str) -> str:
    """The same for all addresses that are one subscriber's."""
    address = parse_address(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), SUBSCRIBER_BITS), strict=False))
    return host if address is None else str(address)


class TrustedProxies:
    """Takes `X-Forwarded-For`, `-Proto` and `-Host` from connections out of `networks`, and from nobody else.

    A proxy appends to what it was sent, so the end of each list is its own word.
    """

    def __init__(self, app: ASGIApp, *, networks: Sequence[Network]) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._networks and scope["type"] == "http" and self._is_trusted(parse_address(peer(scope))):
            scope = {**scope, **self._forwarded(scope)}
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        found: Scope = {}
        client = self._client(_items(headers, "x-forwarded-for"))
        if client is not None:
            found["client"] = (str(client), 0)
        if (scheme := _last(headers, "x-forwarded-proto").lower()) in SCHEMES:
            found["scheme"] = scheme
        if HOST.fullmatch(host := _last(headers, "x-forwarded-host")):
            others = [header for header in scope["headers"] if header[0] != b"host"]
            found["headers"] = [(b"host", host.encode()), *others]
        return found

    def _client(self, hops: Sequence[str]) -> Address | None:
        """The last that is no trusted proxy; None if nothing can be read."""
        found: Address | None = None
        for hop in reversed(hops):
            address = _hop_address(hop)
            found = address or found
            if not self._is_trusted(address):
                break
        return found

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def peer(scope: Scope) -> str:
    """Nothing where the server does not know, as with a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _hop_address(hop: str) -> Address | None:
    """Some proxies write a port behind it."""
    match = HOP.fullmatch(hop)
    return parse_address(match["v6"] or match["v4"] or match["bare"]) if match else None


def _items(headers: Headers, name: str) -> Sequence[str]:
    """Return the items of a list that may come in several headers."""
    return [item.strip() for value in headers.getlist(name) for item in value.split(",")]


def _last(headers: Headers, name: str) -> str:
    return _items(headers, name)[-1] if name in headers else ""


GUARDED = ("/v1/", "/v2/")
PUBLIC = "/v2/resources"  # for those who only read
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is asked of every caller; `rate_limit` is None for any number of requests."""

    authentication: Authentication
    rate_limit: RateLimit | None
    guess_limit: GuessLimit


class AccessMiddleware:
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


def _adding(headers: HeaderFields, send: Send) -> Send:
    async def send_adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_adding
