"""Redact addresses for logs and error messages: users, passwords, queries and fragments are hidden."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from civitai_mock.domain.redaction import HIDDEN

ADDRESS_SEPARATOR = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")  # a comma may also stand in a password


def redacted(text: str) -> str:
    """Return one address, or several with commas between them, without user, password, query and fragment."""
    return ",".join(_redacted(address) for address in ADDRESS_SEPARATOR.split(text))


def passwords_in(text: str) -> Sequence[str]:
    """Return the passwords of one address, or several, as they are written and as they are meant."""
    users = [_user_in(address) for address in ADDRESS_SEPARATOR.split(text)]
    found = [password for user in users if (password := user.partition(":")[2])]
    return [*found, *map(unquote, found)]


def _user_in(address: str) -> str:
    return address.partition("://")[2].rpartition("@")[0]


def _redacted(address: str) -> str:
    """Hide all that stands before the last @: a password may be written otherwise than a URL wants it."""
    scheme, separator, rest = address.partition("://") if "://" in address else ("", "", address)
    _, at, place = rest.rpartition("@")
    for mark in "?#":
        before, found, _ = place.partition(mark)
        place = f"{before}{mark}{HIDDEN}" if found else place
    return f"{scheme}{separator}{HIDDEN if at else ''}{at}{place}"
