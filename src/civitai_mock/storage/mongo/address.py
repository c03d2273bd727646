"""Where a MongoDB is, without who we are there."""

import re

DEFAULT_PORT = 27017
HOST = re.compile(r"(?P<host>\[[^]]+\]|[^:]+)(?::(?P<port>\d+))?")


def describe(uri: str, database: str) -> str:
    """`MongoDB at host:port/database`, for a URI that the driver has accepted."""
    return f"MongoDB at {_hosts(uri)}/{database}"


def is_ambiguous(uri: str) -> bool:
    """True where an @ stands behind a slash: the driver would take what may be a part of a password for a host."""
    return "@" in uri.partition("://")[2].partition("?")[0].partition("/")[2]


def seeds_of(uri: str) -> list[tuple[str, int | None]]:
    """The servers that a URI names; of `mongodb+srv` that is a name for others."""
    if uri.startswith("mongodb+srv:"):
        return []
    named = [host.strip() for host in _hosts(uri).split(",")]
    return [
        (match["host"].strip("[]").lower(), int(match["port"] or DEFAULT_PORT))
        for match in map(HOST.fullmatch, named)
        if match
    ]


def _hosts(uri: str) -> str:
    return uri.partition("://")[2].partition("?")[0].rpartition("@")[2].partition("/")[0]
