"""Where a request comes from: the peer of its connection, or what a trusted proxy says of it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

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
