"""Which hosts this server may connect to on behalf of a caller."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from civitai_mock.domain.errors import InvalidRequestError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NO_URL = "It is no URL."
PRIVATE, PUBLIC = "private", "public"  # in the place of a pattern: every host whose address is such a one
PRIVATE_NETWORKS = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)  # without the link-local ones, where clouds answer with credentials
GLOBAL_UNICAST = ip_network("2000::/3")
TRANSLATED = ip_network("64:ff9b::/96")  # an IPv4 address in the last 32 bits (RFC 6052)


def is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE_NETWORKS)


def is_public(address: Address) -> bool:
    """Globally routable, and of one host."""
    if isinstance(address, IPv6Address):
        return address.is_global and address in GLOBAL_UNICAST
    return address.is_global and not address.is_multicast


WORDS: Mapping[str, Callable[[Address], bool]] = {PRIVATE: is_private, PUBLIC: is_public}


class HostPolicy:
    """`patterns` are hosts, `*.example.com`, `*`, or the words `private` and `public`."""

    def __init__(self, patterns: Sequence[str], *, deed: str, setting: str) -> None:
        """`deed` is what is refused (`fetch images from`), `setting` where that can be changed."""
        plain = [_plain(pattern) for pattern in patterns]
        self._names = tuple(pattern for pattern in plain if pattern not in WORDS)
        self._kinds = tuple(WORDS[pattern] for pattern in plain if pattern in WORDS)
        self._deed = deed
        self._setting = setting

    def check(self, url: str, *, path: str) -> None:
        """Raise `InvalidRequestError` for a URL that can never be used; a name is looked up when it is.

        The message does not repeat the URL, which may hold a secret.
        """
        fault = self._fault(url)
        if fault is not None:
            raise InvalidRequestError(f"The {path} cannot be used.", errors={path: [fault]})

    def allows(self, host: str, address: str) -> bool:
        """Whether a connection may be made to one of the host's addresses."""
        found = parse_address(address)
        return self._is_named(host) or (found is not None and self._is_of_a_kind(found))

    def refusal(self, host: str) -> str:
        return f"This server does not {self._deed} the host '{host}'; see {self._setting}."

    def _fault(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return NO_URL
        if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
            return "It must be an absolute http or https URL."
        return None if self._may_allow(host) else self.refusal(host)

    def _may_allow(self, host: str) -> bool:
        """A name may have an address of any kind."""
        literal = parse_address(host)
        return self._is_named(host) or (bool(self._kinds) if literal is None else self._is_of_a_kind(literal))

    def _is_named(self, host: str) -> bool:
        return any(fnmatchcase(_plain(host), pattern) for pattern in self._names)

    def _is_of_a_kind(self, address: Address) -> bool:
        return any(is_such(address) for is_such in self._kinds)


def callback_policy(patterns: Sequence[str]) -> HostPolicy:
    return HostPolicy(patterns, deed="send callbacks to", setting="CALLBACK_ALLOWED_HOSTS")


def image_policy(patterns: Sequence[str]) -> HostPolicy:
    return HostPolicy(patterns, deed="fetch images from", setting="IMAGE_ALLOWED_HOSTS")


def parse_networks(text: str) -> Sequence[Network]:
    """Addresses and networks with commas between them; raise ValueError for what is neither."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def _plain(host: str) -> str:
    return host.strip().lower().strip("[]").removesuffix(".")


def parse_address(host: str) -> Address | None:
    """None for a name; an IPv4 address in IPv6 clothes is what it leads to."""
    try:
        address = ip_address(_plain(host))
    except ValueError:
        return None
    return _inner(address) or address if isinstance(address, IPv6Address) else address


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
