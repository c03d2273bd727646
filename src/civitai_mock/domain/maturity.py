"""How mature content is, in the five levels that v2 knows."""

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


ORDER = (NsfwLevel.NA, NsfwLevel.PG, NsfwLevel.PG13, NsfwLevel.R, NsfwLevel.X, NsfwLevel.XXX)
MATURE = frozenset({NsfwLevel.R, NsfwLevel.X, NsfwLevel.XXX})
MATURE_CONTENT = "MatureContent"  # why a blob is withheld
