"""Put a prompt text together again where something was taken out of it."""

OPENING, CLOSING = ("", "(", "[", ","), ("", ")", "]", ",")


def rejoined(left: str, right: str, *, gap: str | None = None) -> str:
    """With no more blanks and commas than one would write; `gap` is what to put where neither side has a comma."""
    start, end = left.rstrip(), right.lstrip()
    if end.startswith(",") and not start.endswith(","):
        gap, end = ", ", end[1:].lstrip()
    elif start.endswith(","):
        gap, start, end = ", ", start[:-1].rstrip(), end.removeprefix(",").lstrip()
    elif gap is None:
        gap = left[len(start) :] or right[: len(right) - len(end)]
    apart = start[-1:] not in OPENING and end[:1] not in CLOSING
    return f"{start}{gap}{end}" if apart else start + end
