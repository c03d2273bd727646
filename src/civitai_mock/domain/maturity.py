"""How mature content is, in the five levels that v2 knows."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum


class NsfwLevel(StrEnum):
    """Names the levels, the mildest first (v2 description: `NSFWLevel`); `NA` stands for content that has none."""

    PG = "pg"
    PG13 = "pg13"
    R = "r"
    X = "x"
    XXX = "xxx"
    NA = "na"

    @property
    def is_mature(self) -> bool:
        """Return whether blue and green Buzz cannot pay for it, and those who hide mature content do not see it."""
        return self in MATURE

    def exceeds(self, most: "NsfwLevel") -> bool:
        return ORDER.index(self) > ORDER.index(most)


LEVELS: Mapping[str, NsfwLevel] = {str(level): level for level in NsfwLevel}
ORDER = (NsfwLevel.NA, NsfwLevel.PG, NsfwLevel.PG13, NsfwLevel.R, NsfwLevel.X, NsfwLevel.XXX)
MATURE = frozenset({NsfwLevel.R, NsfwLevel.X, NsfwLevel.XXX})
# Words of a prompt text that make the level of what is made of it; a documented list, so that tests can rely on it.
WORDS: Mapping[NsfwLevel, frozenset[str]] = {
    NsfwLevel.PG13: frozenset({"bikini", "blood", "cleavage", "lingerie", "swimsuit", "underwear"}),
    NsfwLevel.R: frozenset({"gore", "seductive", "sensual", "topless"}),
    NsfwLevel.X: frozenset({"erotic", "naked", "nude", "nudity", "nsfw"}),
    NsfwLevel.XXX: frozenset({"explicit", "hardcore", "porn", "pornographic", "sex", "xxx"}),
}
LEVELS_OF_WORDS = {word: level for level, words in WORDS.items() for word in words}
WORD = re.compile(r"[a-z]+")
MATURE_CONTENT = "MatureContent"  # why a blob is withheld


def level_of_text(text: str) -> NsfwLevel:
    """Return the level of the most mature word of a prompt text, in any case; PG if none is in `WORDS`."""
    return highest(LEVELS_OF_WORDS[word] for word in LEVELS_OF_WORDS.keys() & WORD.findall(text.lower()))


def highest(levels: Iterable[NsfwLevel]) -> NsfwLevel:
    """Return the most mature of the levels; PG if there is none."""
    return max(levels, key=ORDER.index, default=NsfwLevel.PG)


def withheld_reason(level: NsfwLevel | None, *, allow_mature_content: bool | None) -> str | None:
    """Return why a blob is withheld, or None: a workflow that does not say what it allows is paid in yellow Buzz.

    Yellow Buzz pays for any content; where blue or green pays, the workflow says that it does not allow it.
    """
    return MATURE_CONTENT if level is not None and level.is_mature and allow_mature_content is False else None
