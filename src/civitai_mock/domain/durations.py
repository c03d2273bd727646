"""Read durations as people write them: `90s`, `10m`, `1h30m`, or ISO 8601 (`PT10M`)."""

import re
from datetime import timedelta

LONGEST = timedelta(days=36_500)
LONGEST_TEXT = 64
EXPECTED = "expected a duration like 90s, 10m, 2h or PT10M"
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
NUMBER = r"\d{1,12}(?:[.,]\d{1,9})?"
SHORT_PATTERN = re.compile(
    "".join(rf"(?:(?P<{unit}>{NUMBER}){letters}(?![a-z]))?" for letters, unit in UNITS.items()), re.ASCII
)
ISO_PATTERN = re.compile(
    rf"P(?:(?P<weeks>{NUMBER})W)?(?:(?P<days>{NUMBER})D)?"
    rf"(?:T(?=\d)(?:(?P<hours>{NUMBER})H)?(?:(?P<minutes>{NUMBER})M)?(?:(?P<seconds>{NUMBER})S)?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta:
    """Raise `ValueError` for anything else, and for more than a hundred years.

    ISO 8601 knows years and months, too, but they are not always equally long.
    """
    word = text.strip()[: LONGEST_TEXT + 1]
    match = SHORT_PATTERN.fullmatch(word.lower()) or ISO_PATTERN.fullmatch(word.upper())
    parts = {unit: number for unit, number in match.groupdict().items() if number} if match else {}
    if not parts:
        raise ValueError(EXPECTED)
    try:
        duration = timedelta(**{unit: float(number.replace(",", ".")) for unit, number in parts.items()})
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST:
        raise ValueError(f"expected a duration of at most {LONGEST.days} days")
    return duration
