"""Origin policies: by which names a server may be called, and which web pages may call it.

They are for what must not be done by somebody's web page: a page elsewhere whose name leads to this machine (DNS
rebinding), and one that sends requests to `localhost`.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.services.host_policy import parse_address

HOST = re.compile(r"(?P<name>[^\s:/?#@\[\]]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
DEFAULT_PORTS = {"http": "80", "https": "443"}
SETTING = "ADMIN_ALLOWED_HOSTS"
LOCALHOST = "localhost"
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class HostAndPort:
    """Is what follows `http://` in an address; `name` is in small letters, and has no brackets; `port` may be empty."""

    name: str
    port: str

    def with_port_of(self, scheme: str) -> "HostAndPort":
        return self if self.port else HostAndPort(self.name, DEFAULT_PORTS[scheme])


class OriginPolicy:
    """Allows the names of this machine, that of `public_url`, and whatever one of the patterns `hosts` matches.

    A pattern is a name, an address or `*.example.com`, which holds for every port, or one of these with its port.
    """

    def __init__(self, *, hosts: Sequence[str] = (), public_url: str | None = None) -> None:
        self._patterns = [pattern.strip().lower().removesuffix(".") for pattern in hosts if pattern.strip()]
        self._public = _origin(public_url) if public_url else None

    def refusal(self, *, host: str | None, origin: str | None) -> str | None:
        """Return why a request with these headers is refused, and what to do; None for one that is allowed."""
        called = _parsed(host or "")
        if called is None or not self._is_allowed(called):
            shown = f"the Host '{host[:MOST_SHOWN]}'" if host else "a request without a Host"
            return f"This server does not answer {shown} here; see {SETTING}."
        if origin is not None and not self._is_own(origin, called):
            return f"This server does not answer a web page of '{origin[:MOST_SHOWN]}' here."
        return None

    def _is_allowed(self, host: HostAndPort) -> bool:
        if is_loopback(host.name) or (self._public is not None and host.name == self._public[1].name):
            return True
        spellings = (host.name, f"{host.name}:{host.port}", f"[{host.name}]:{host.port}")
        return any(fnmatchcase(spelling, pattern) for pattern in self._patterns for spelling in spellings)

    def _is_own(self, text: str, called: HostAndPort) -> bool:
        """Return whether a page comes from this server, under the name that it was called by or that it is known by."""
        origin = _origin(text)
        if origin is None:
            return False  # `null`, too, which a page in a sandbox has
        scheme, host = origin
        return host == called.with_port_of(scheme) or origin == self._public


def is_loopback(host: str) -> bool:
    """Return whether a name or an address means the same machine."""
    address = parse_address(host)
    return host == LOCALHOST if address is None else address.is_loopback


def _origin(url: str) -> tuple[str, HostAndPort] | None:
    """Return scheme, host and port of an address; None for one that is not of HTTP."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return None
    host = _parsed(parts.netloc)
    return (parts.scheme, host.with_port_of(parts.scheme)) if host and parts.scheme in DEFAULT_PORTS else None


def _parsed(host: str) -> HostAndPort | None:
    match = HOST.fullmatch(host.lower())
    return HostAndPort(match["name"].strip("[]").removesuffix("."), match["port"] or "") if match else None
