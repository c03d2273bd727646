"""Texts for values of a JSON Schema: plain words, and texts in the formats that schemas name."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

WORDS = (
    *("amber", "bridge", "cloud", "delta", "ember", "field", "garden", "harbour", "island", "journey", "lantern"),
    *("meadow", "north", "orchard", "paper", "quiet", "river", "silver", "timber", "under", "valley", "winter"),
)
MOST_WORDS = 5
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS_OF_A_YEAR = 365 * 24 * 3600
MOST_CHARACTERS = 10_000


def plain_text(random: Random, *, least: int = 0, most: int | None = None) -> str:
    """Return a few words, of `least` to `most` characters."""
    text = " ".join(random.choice(WORDS) for _ in range(random.randint(1, MOST_WORDS))).capitalize()
    least = min(least, MOST_CHARACTERS)
    if len(text) < least:
        text = (text + " ") * (least // (len(text) + 1) + 1)
    return text[:least] if most is not None and least > most else text[: max(least, len(text.rstrip()))][:most]


def formatted_text(name: str, random: Random) -> str | None:
    """Return a text of a format; None for a format that is not known."""
    make = FORMATS.get(name)
    return make(random) if make else None


def _moment(random: Random) -> datetime:
    return FIRST_DAY + timedelta(seconds=random.randrange(SECONDS_OF_A_YEAR))


def _word(random: Random) -> str:
    return random.choice(WORDS)


FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date-time": lambda random: f"{_moment(random):%Y-%m-%dT%H:%M:%S}Z",
    "date": lambda random: f"{_moment(random):%Y-%m-%d}",
    "time": lambda random: f"{_moment(random):%H:%M:%S}Z",
    "duration": lambda random: f"PT{random.randint(1, 59)}S",
    "date-span": lambda random: f"00:{random.randint(0, 59):02}:{random.randint(0, 59):02}",
    "uuid": lambda random: str(UUID(int=random.getrandbits(128), version=4)),
    "uri": lambda random: f"https://example.com/{_word(random)}",
    "url": lambda random: f"https://example.com/{_word(random)}",
    "iri": lambda random: f"https://example.com/{_word(random)}",
    "uri-reference": lambda random: f"/{_word(random)}",
    "email": lambda random: f"{_word(random)}@example.com",
    "hostname": lambda random: f"{_word(random)}.example.com",
    "ipv4": lambda random: f"192.0.2.{random.randint(1, 254)}",
    "ipv6": lambda random: f"2001:db8::{random.randint(1, 0xFFFF):x}",
    "json-pointer": lambda random: f"/{_word(random)}",
    "regex": lambda random: f"^{_word(random)}$",
    "byte": lambda random: base64.b64encode(_word(random).encode()).decode(),
}
