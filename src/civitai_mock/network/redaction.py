"""Redact addresses for logs and error messages: users, passwords, queries and fragments are hidden."""

import re

ADDRESS_SEPARATOR = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")  # a comma may also stand in a password
HIDDEN = "***"


def redacted(text: str) -> str:
    """Return one address, or several with commas between them, without user, password, query and fragment."""
    return ",".join(_redacted(address) for address in ADDRESS_SEPARATOR.split(text))


def _redacted(address: str) -> str:
    """Hide all that stands before the last @: a password may be written otherwise than a URL wants it."""
    scheme, separator, rest = address.partition("://") if "://" in address else ("", "", address)
    _, at, place = rest.rpartition("@")
    for mark in "?#":
        before, found, _ = place.partition(mark)
        place = f"{before}{mark}{HIDDEN}" if found else place
    return f"{scheme}{separator}{HIDDEN if at else ''}{at}{place}"
