"""Host policies: which hosts this server may connect to on behalf of a caller."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from civitai_mock.domain.errors import InvalidRequestError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PRIVATE, PUBLIC = "private", "public"  # these words, used as patterns, match every host with such an address
PRIVATE_NETWORKS = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)  # link-local ones are missing, as clouds give out credentials there
GLOBAL_UNICAST = ip_network("2000::/3")
TRANSLATED = ip_network("64:ff9b::/96")  # an IPv4 address in the last 32 bits (RFC 6052)


def is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE_NETWORKS)


def is_public(address: Address) -> bool:
    """Return whether an address is globally routable and belongs to one host."""
    if isinstance(address, IPv6Address):
        return address.is_global and address in GLOBAL_UNICAST
    return address.is_global and not address.is_multicast


ADDRESS_KINDS: Mapping[str, Callable[[Address], bool]] = {PRIVATE: is_private, PUBLIC: is_public}


class HostPolicy:
    """Allows hosts by patterns: host names or addresses, `*.example.com`, `*`, and the words `private` and `public`."""

    def __init__(self, patterns: Sequence[str], *, action: str, setting: str) -> None:
        """Name in refusals the `action` (`fetch images from`) and the `setting` that can allow it."""
        normalized = [_normalize(pattern) for pattern in patterns]
        self._host_patterns = tuple(pattern for pattern in normalized if pattern not in ADDRESS_KINDS)
        self._address_kinds = tuple(ADDRESS_KINDS[pattern] for pattern in normalized if pattern in ADDRESS_KINDS)
        self._action = action
        self._setting = setting

    def check(self, url: str, *, path: str) -> None:
        """Raise `InvalidRequestError` for a URL that can never be used; a host name is resolved only when it is used.

        The message does not repeat the URL, which may hold a secret.
        """
        fault = self._fault(url, path)
        if fault is not None:
            raise unusable_url(path, fault)

    def allows(self, host: str, address: str) -> bool:
        """Return whether a connection may be made to this address, which the host name was resolved to."""
        parsed = parse_address(address)
        return self._matches_host(host) or (parsed is not None and self._matches_address(parsed))

    def refusal(self, host: str) -> str:
        return f"This server does not {self._action} the host '{host}'; see {self._setting}."

    def _fault(self, url: str, path: str) -> str | None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return invalid_url(path)
        if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
            return f"{path} must be an absolute http or https URL."
        return None if self._may_allow(host) else self.refusal(host)

    def _may_allow(self, host: str) -> bool:
        """Return whether any address of the host may be allowed; those of a host name are not known yet."""
        address = parse_address(host)
        is_possible = bool(self._address_kinds) if address is None else self._matches_address(address)
        return self._matches_host(host) or is_possible

    def _matches_host(self, host: str) -> bool:
        return any(fnmatchcase(_normalize(host), pattern) for pattern in self._host_patterns)

    def _matches_address(self, address: Address) -> bool:
        return any(is_of_kind(address) for is_of_kind in self._address_kinds)


def callback_policy(patterns: Sequence[str]) -> HostPolicy:
    return HostPolicy(patterns, action="send callbacks to", setting="CALLBACK_ALLOWED_HOSTS")


def image_policy(patterns: Sequence[str]) -> HostPolicy:
    return HostPolicy(patterns, action="fetch images from", setting="IMAGE_ALLOWED_HOSTS")


def parse_networks(text: str) -> Sequence[Network]:
    """Parse addresses and networks that are separated by commas; raise `ValueError` for a part that is neither."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def invalid_url(path: str) -> str:
    return f"{path} is not a valid URL."


def unusable_url(path: str, fault: str) -> InvalidRequestError:
    return InvalidRequestError(f"The {path} cannot be used.", errors={path: [fault]})


def _normalize(host: str) -> str:
    return host.strip().lower().strip("[]").removesuffix(".")


def parse_address(host: str) -> Address | None:
    """Parse an address; None for a host name. An IPv6 address that embeds an IPv4 one is taken for the latter."""
    try:
        address = ip_address(_normalize(host))
    except ValueError:
        return None
    return _embedded(address) or address if isinstance(address, IPv6Address) else address


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
