"""Addresses as they may be shown: without what only their owner may know."""

import re

BETWEEN = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")  # a comma may also stand in a password
HIDDEN = "***"


def shown(text: str) -> str:
    """One address, or several with commas between them, without user, password, query and fragment."""
    return ",".join(_shown(part) for part in BETWEEN.split(text))


def _shown(address: str) -> str:
    """What stands before the last @ counts as secret, also where a password is not written as a URL wants it."""
    scheme, separator, rest = address.partition("://") if "://" in address else ("", "", address)
    _, at, place = rest.rpartition("@")
    for mark in "?#":
        before, found, _ = place.partition(mark)
        place = f"{before}{mark}{HIDDEN}" if found else place
    return f"{scheme}{separator}{HIDDEN if at else ''}{at}{place}"
