"""MongoDB URIs: the servers and options that they name, without user and password."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from warnings import catch_warnings

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from civitai_mock.domain.errors import InvalidRequestError

DEFAULT_PORT = 27017
HOST = re.compile(r"(?P<host>\[[^]]+\]|[^:]+)(?::(?P<port>\d+))?")

UNKNOWN = "Unknown option"
FOR_SRV = "srv"  # The driver takes these options only with names that have to be looked up.


def describe(uri: str, database: str) -> str:
    """Return `MongoDB at host:port/database` for a URI that the driver has accepted."""
    return f"MongoDB at {_hosts(uri)}/{database}"


def is_ambiguous(uri: str) -> bool:
    """Return whether an @ follows a slash: the driver would take what may be a part of a password for a host."""
    return "@" in uri.partition("://")[2].partition("?")[0].partition("/")[2]


def seeds_of(uri: str) -> list[tuple[str, int | None]]:
    """Return the servers that a URI names; none for `mongodb+srv`, whose name only leads to others."""
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


def options_left_out(uri: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `defaults` that the URI does not set, as arguments would overrule it."""
    named = {_name_of(option) for option in _options_of(uri)}
    return {name: value for name, value in defaults.items() if name.lower() not in named}


def unknown_options(uri: str) -> Sequence[str]:
    """Return options that the driver does not know; raise `InvalidRequestError` for a value that it cannot use."""
    return [_name_of(option) for option in _options_of(uri) if not _is_known(option)]


def _options_of(uri: str) -> list[str]:
    """Return the options, but none if an @ may mean that they are part of a password that is not percent-encoded."""
    query = uri.partition("?")[2]
    return [] if "@" in query else [option for option in re.split("[&;]", query) if option]


def _name_of(option: str) -> str:
    return option.partition("=")[0].lower()


def _is_known(option: str) -> bool:
    name, _, value = option.partition("=")
    if name.lower().startswith(FOR_SRV):
        return True
    try:
        with catch_warnings(action="ignore"):  # as the driver gives them again when it connects
            parse_uri(f"mongodb://host/?{option}")
    except (PyMongoError, ValueError, OSError) as error:
        words = str(error.strerror if isinstance(error, OSError) else error)
        if words.startswith(UNKNOWN):
            return False
        # The driver may quote the value, which may be a secret.
        rule = f": {words.rstrip('.')}" if not value or value not in words else ""
        raise InvalidRequestError(f"MONGODB_URI: its option {name} cannot be used{rule}.") from None
    return True
