"""Texts that match a regular expression, for values that a schema gives a pattern."""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

MOST_CHARACTERS = 256  # of a text: what is repeated very often is left out beyond that
MORE_TIMES = 3  # than it must, where something may be repeated without end
PRINTABLE = [chr(code) for code in range(32, 127)]
DOTNET_NAME = re.compile(r"\(\?<(?![=!])")
# The parser of `re` itself, which has no public name: an own one would read patterns differently.
_parser: Any = importlib.import_module("re._parser")


def text_like(pattern: str, random: Random) -> str | None:
    """Return a text that matches a pattern in nearly all cases; None for what is not a pattern.

    What takes no character (beginnings, ends, lookaheads) is taken to hold wherever it stands.
    """
    try:
        parsed = _parser.parse(DOTNET_NAME.sub("(?P<", pattern))
    except (re.error, RecursionError, OverflowError):
        return None
    writer = _Writer(random)
    writer.write(parsed)
    return "".join(writer.parts)


class _Writer:
    """Writes what each part of a parsed pattern stands for."""

    def __init__(self, random: Random) -> None:
        self.parts: list[str] = []
        self._random = random
        self._groups: dict[int, str] = {}
        self._left = MOST_CHARACTERS

    def write(self, parsed: Sequence[tuple[Any, Any]]) -> None:
        for operator, argument in parsed:
            if self._left <= 0:
                return
            write = WRITERS.get(str(operator))
            if write:
                write(self, argument)

    def literal(self, code: int) -> None:
        self.parts.append(chr(code))
        self._left -= 1

    def any_character(self, _: object) -> None:
        self.literal(ord(self._random.choice("abcdefghijklmnopqrstuvwxyz0123456789")))

    def other_than(self, code: int) -> None:
        self.literal(ord(self._random.choice([sign for sign in PRINTABLE if ord(sign) != code])))

    def one_of(self, items: Sequence[tuple[Any, Any]]) -> None:
        allowed = [sign for sign in PRINTABLE if _is_in(sign, items)]
        wanted = [sign for sign in allowed if sign.isalnum()] or allowed
        if wanted:
            self.literal(ord(self._random.choice(wanted)))
        elif items and str(items[0][0]) in {"LITERAL", "RANGE"}:
            self.literal(items[0][1] if str(items[0][0]) == "LITERAL" else items[0][1][0])

    def branch(self, argument: tuple[object, Sequence[Any]]) -> None:
        self.write(self._random.choice(argument[1]))

    def group(self, argument: tuple[int | None, int, int, Any]) -> None:
        start = len(self.parts)
        self.write(argument[3])
        if argument[0] is not None:
            self._groups[argument[0]] = "".join(self.parts[start:])

    def same_again(self, group: int) -> None:
        text = self._groups.get(group, "")
        self.parts.append(text)
        self._left -= len(text)

    def repeat(self, argument: tuple[int, int, Any]) -> None:
        least, most, part = argument
        for _ in range(self._random.randint(least, max(min(int(most), least + MORE_TIMES), least))):
            if self._left <= 0:
                return
            self.write(part)
            self._left -= 1  # for what writes nothing, however often

    def nested(self, part: Any) -> None:
        self.write(part)


def _is_in(sign: str, items: Sequence[tuple[Any, Any]]) -> bool:
    is_negated = bool(items) and str(items[0][0]) == "NEGATE"
    return is_negated != any(_matches(sign, str(operator), argument) for operator, argument in items)


def _matches(sign: str, operator: str, argument: Any) -> bool:
    match operator:
        case "LITERAL":
            return ord(sign) == int(argument)
        case "RANGE":
            return bool(argument[0] <= ord(sign) <= argument[1])
        case "CATEGORY":
            return CATEGORIES[str(argument).removeprefix("CATEGORY_").removeprefix("NOT_")](sign) != (
                "_NOT_" in str(argument)
            )
    return False


CATEGORIES: Mapping[str, Callable[[str], bool]] = {
    "DIGIT": str.isdigit,
    "SPACE": str.isspace,
    "WORD": lambda sign: sign.isalnum() or sign == "_",
    "LINEBREAK": lambda sign: sign == "\n",
}
WRITERS: Mapping[str, Callable[[_Writer, Any], None]] = {
    "LITERAL": _Writer.literal,
    "NOT_LITERAL": _Writer.other_than,
    "ANY": _Writer.any_character,
    "IN": _Writer.one_of,
    "BRANCH": _Writer.branch,
    "SUBPATTERN": _Writer.group,
    "GROUPREF": _Writer.same_again,
    "MAX_REPEAT": _Writer.repeat,
    "MIN_REPEAT": _Writer.repeat,
    "POSSESSIVE_REPEAT": _Writer.repeat,
    "ATOMIC_GROUP": _Writer.nested,
}
