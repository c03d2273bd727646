"""Where callbacks may go."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from civitai_mock.domain.errors import InvalidRequestError

Address = IPv4Address | IPv6Address

PRIVATE = "private"  # in the place of a pattern: every host whose address is in one of these networks
PRIVATE_NETWORKS = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)  # without the link-local ones, where clouds answer with credentials


class CallbackHosts:
    """`patterns` are hosts, `*.example.com`, `*`, or the word `private`."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(_plain(pattern) for pattern in patterns)

    def check(self, url: str) -> None:
        """Raise `InvalidRequestError` for a URL to which no callback can ever go; a name is looked up when it is used.

        The message does not repeat the URL, which may hold a secret.
        """
        fault = self._fault(url)
        if fault is not None:
            raise InvalidRequestError("The callbackUrl cannot be used.", errors={"callbackUrl": [fault]})

    def allows(self, host: str, address: str) -> bool:
        """Whether a connection may be made to one of the host's addresses."""
        found = _address(address)
        return self._is_named(host) or (PRIVATE in self._patterns and found is not None and _is_private(found))

    def _fault(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return "It is no URL."
        if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
            return "It must be an absolute http or https URL."
        literal = _address(host)
        by_address = PRIVATE in self._patterns and (literal is None or _is_private(literal))
        if not by_address and not self._is_named(host):
            return f"This server does not send callbacks to the host '{host}'; see CALLBACK_ALLOWED_HOSTS."
        return None

    def _is_named(self, host: str) -> bool:
        return any(fnmatchcase(_plain(host), pattern) for pattern in self._patterns if pattern != PRIVATE)


def _plain(host: str) -> str:
    return host.strip().lower().strip("[]").removesuffix(".")


def _address(host: str) -> Address | None:
    """None for a name."""
    try:
        address = ip_address(_plain(host))
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE_NETWORKS)
