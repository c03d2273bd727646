"""Random numbers that are the same for the same facts, on every machine and with every Python."""

import hashlib
import json
import random
from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


class SeededRandom:
    """Draws from `random()` of the standard generator: Python promises only its sequence."""

    def __init__(self, *facts: object) -> None:
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).digest()
        self._random = random.Random(int.from_bytes(digest, "big"))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int((high - low + 1) * self._random.random())

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.whole(0, len(options) - 1)]

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability
