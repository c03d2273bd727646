"""Find which known name a wrong one was probably meant to be."""

from collections.abc import Iterable

LONGEST_SHOWN = 100  # characters of a name that somebody sent
LONGEST_COMPARED = 64  # the time of a comparison grows with the square


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a word, in any case; None only if nothing is known."""
    from difflib import get_close_matches  # noqa: PLC0415 - not loaded at the start, as names are mostly right

    names = {name.lower(): name for name in known}
    found = get_close_matches(word[:LONGEST_COMPARED].lower(), names, n=1, cutoff=0)
    return names[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the sentence that ends a message about a wrong name: ` Did you mean 'each'?`, or nothing."""
    found = nearest(word, known)
    return "" if found is None else f" Did you mean '{found}'?"


def unknown_name(what: str, word: str, known: Iterable[str]) -> str:
    """Return the message about a name that is not one of the `known` ones: what it should name, what was found."""
    names = list(known)
    found = word if len(word) <= LONGEST_SHOWN else f"{word[:LONGEST_SHOWN]}…"
    return f"Unknown {what} '{found}'; known are {', '.join(names)}.{did_you_mean(word, names)}"
