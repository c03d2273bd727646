"""Range requests of one blob (RFC 9110, section 14)."""

import re

from civitai_mock.api.errors import RangeNotSatisfiableError

# Several ranges, and what is no byte range, may be ignored: the answer is the whole blob then.
ONE_RANGE = re.compile(r"bytes=\s*(?P<first>\d{0,18})-(?P<last>\d{0,18})\s*", re.IGNORECASE | re.ASCII)


def parse_range(header: str | None, size: int) -> range | None:
    """The byte positions asked for, or None for all of them; raise `RangeNotSatisfiableError` if there are none."""
    match = ONE_RANGE.fullmatch(header) if header else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        asked = range(max(size - int(match["last"]), 0), size)
    elif match["last"] and int(match["last"]) < int(match["first"]):
        return None
    else:
        asked = range(int(match["first"]), min(int(match["last"] or size) + 1, size))
    if not asked:
        raise RangeNotSatisfiableError(f"The blob has {size} bytes.", size=size)
    return asked


def tag_matches(header: str, etag: str) -> bool:
    """If-None-Match: a list of entity tags, of which weak ones count too, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or f'"{etag}"' in tags
