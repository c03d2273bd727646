"""Where a server can be reached, and whether from outside a container. It imports little, as health checks use it."""

import os
from collections.abc import Sequence

REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - looked up, not bound
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")


def interfaces_of(host: str) -> Sequence[str]:
    """Return the addresses to listen on for a HOST; `::` means every interface.

    IPv4 gets a socket of its own then, so that no client of IPv4 has an address in the form of IPv6.
    """
    return ("::", "0.0.0.0") if host == "::" else (host,)  # noqa: S104 - as asked for


def reachable(host: str) -> str:
    """Return the address by which a process on the same machine reaches what listens on `host`."""
    return REACHABLE.get(host, host)


def url_of(host: str, port: int, *, encrypted: bool = False) -> str:
    name = reachable(host)
    return f"{'https' if encrypted else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


def is_cut_off(host: str) -> bool:
    """Return whether nobody outside this container can reach the server: loopback there is the container's own."""
    is_loopback = host in {"localhost", "::1"} or host.startswith("127.")
    return is_loopback and any(map(os.path.exists, CONTAINER_MARKS))
