"""Access to v1 and v2: who calls, from which address, and how often."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from civitai_mock.api.exchange import Exchange
from civitai_mock.api.mock import is_control_path
from civitai_mock.api.mock.access import ControlAccess
from civitai_mock.api.rate_limit import GuessLimit, address_key, peer_host
from civitai_mock.api.signed_requests import READING_METHODS, proves_itself
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, UnauthorizedError
from civitai_mock.services.consumers import EVERYBODY, Auth, Authentication, bearer_token, consumer_id
from civitai_mock.services.host_policy import Address, Network, parse_address

GUARDED_PATHS = ("/v1/", "/v2/")
# For those who only read; a service's list and the descriptions of recipes are public at the real one, too (measured).
PUBLIC_PATHS = ("/v2/resources", "/v2/services", "/v2/consumer/recipes/")

SCHEMES = frozenset({"http", "https"})
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
HOP = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[^:]+):\d+|(?P<bare>.+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Decides who may call v1 and v2, and how often, and by `control` who else.

    Rates are limited in each namespace by itself, guesses in all of them together.
    """

    authentication: Authentication
    control: ControlAccess
    guess_limit: GuessLimit

    def admit(self, exchange: Exchange, scope: Scope) -> None:
        """Note who calls, and what the answer says of limits; raise the error that refuses the caller.

        Health, docs and blobs are for everybody, and are not counted.
        """
        if not scope["path"].startswith(GUARDED_PATHS):
            if is_control_path(scope["path"]):
                self.control.admit(exchange, scope)
            return
        rate_limit = exchange.namespace.use_cases.rate_limit
        if self.authentication.auth is Auth.OFF and rate_limit is None:
            exchange.consumer = EVERYBODY
            return
        address = address_key(peer_host(scope))
        consumer, refusal = self._identify(exchange, scope, address)
        if rate_limit is not None:
            allowance = rate_limit.take(self._rate_key(consumer, address))
            exchange.answer_headers = (*allowance.headers, *exchange.answer_headers)
            refusal = allowance.refusal("Too many requests") or refusal
        if refusal is not None:
            raise refusal
        exchange.consumer = consumer

    def knows_caller(self, exchange: Exchange, scope: Scope) -> bool:
        """Return whether it is known who calls, or AUTH is off; False where nobody is asked, as for a signed URL.

        Raise the error that refuses a caller who is asked.
        """
        if is_control_path(scope["path"]):
            self.control.admit(exchange, scope)
            return self.control.is_on
        if not scope["path"].startswith(GUARDED_PATHS) or proves_itself(scope):
            return False
        if self.authentication.auth is Auth.OFF:
            return True
        consumer, refusal = self._identify(exchange, scope, address_key(peer_host(scope)))
        if refusal is not None:
            raise refusal
        return consumer is not None

    def _identify(self, exchange: Exchange, scope: Scope, address: str) -> tuple[str | None, MockError | None]:
        """Return who calls, where that is asked, or why the caller may not."""
        path: str = scope["path"]
        is_public = exchange.method in READING_METHODS and path.startswith(PUBLIC_PATHS)
        if is_public or proves_itself(scope):
            return None, None  # no token is checked either, so that no answer reveals whether it is right
        authorization = exchange.header(b"authorization")
        token = bearer_token(authorization) if self.authentication.auth is Auth.TOKENS else None
        guesser = consumer_id(token) if token else ""
        if token and (refusal := self.guess_limit.refusal(address, guesser)):
            return None, refusal
        try:
            consumer = self.authentication.consumer(authorization)
        except UnauthorizedError as error:
            if token:
                self.guess_limit.count_wrong(address)
            return None, error
        if token:
            self.guess_limit.remember_right(address, guesser)
        return consumer, None

    def _rate_key(self, consumer: str | None, address: str) -> str:
        """Return the consumer where a token proves who that is, else the address."""
        return consumer if consumer and self.authentication.auth is Auth.TOKENS else address


class TrustedProxies:
    """Takes `X-Forwarded-For`, `-Proto` and `-Host` from connections out of `networks`, and from nobody else.

    A proxy appends to what it was sent, so the end of each list is its own word.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def seen_through(self, scope: Scope) -> Scope:
        """Return the request as the proxy received it, if a trusted one sent it."""
        if self._networks and self._is_trusted(parse_address(peer_host(scope))):
            return {**scope, **self._forwarded(scope)}
        return scope

    def _forwarded(self, scope: Scope) -> Scope:
        """Return the members of the scope that the headers replace."""
        headers = Headers(scope=scope)
        replaced: Scope = {}
        client = self._client(_items(headers, "x-forwarded-for"))
        if client is not None:
            replaced["client"] = (str(client), 0)
        if (scheme := _last(headers, "x-forwarded-proto").lower()) in SCHEMES:
            replaced["scheme"] = scheme
        if HOST.fullmatch(host := _last(headers, "x-forwarded-host")):
            others = [header for header in scope["headers"] if header[0] != b"host"]
            replaced["headers"] = [(b"host", host.encode()), *others]
        return replaced

    def _client(self, hops: Sequence[str]) -> Address | None:
        """Return the last hop that is not a trusted proxy; None if none can be read."""
        client: Address | None = None
        for hop in reversed(hops):
            address = _hop_address(hop)
            client = address or client
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _hop_address(hop: str) -> Address | None:
    """Parse a hop, behind which some proxies write a port."""
    match = HOP.fullmatch(hop)
    return parse_address(match["v6"] or match["v4"] or match["bare"]) if match else None


def _items(headers: Headers, name: str) -> Sequence[str]:
    """Return the items of a list that may come in several headers."""
    return [item.strip() for value in headers.getlist(name) for item in value.split(",")]


def _last(headers: Headers, name: str) -> str:
    return _items(headers, name)[-1] if name in headers else ""
