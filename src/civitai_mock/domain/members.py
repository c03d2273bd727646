"""Read JSON objects that somebody sent, by name and type; unknown members are refused.

The nearest known name is told: a misspelt member must not silently do nothing.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

from civitai_mock.domain.clock_state import EARLIEST_DATE, LATEST_DATE, is_date
from civitai_mock.domain.durations import EXPECTED, parse_duration
from civitai_mock.domain.errors import ROOT, InvalidRequestError, fault, invalid
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number
from civitai_mock.domain.nearest import unknown_name

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

MOST_SHOWN = 100
MOST_CHARACTERS = 10_000
MOST_ITEMS = 1000
A_DATE = "a date like 2026-01-31T12:00:00Z"
INT64_MIN, UINT64_MAX = -(2**63), 2**64 - 1


def read_members(value: Json, parse: "Callable[[Members], T]") -> T:
    """Return what `parse` makes of a JSON object; raise `InvalidRequestError` for all that is wrong.

    That is what `parse` noted, and members that it has not asked for.
    """
    if not isinstance(value, dict):
        raise fault(ROOT, "Expected a JSON object.")
    members = Members(value)
    parsed = parse(members)
    members.finish()
    return parsed


class Members:
    """Reads the members of one JSON object by name and type, and notes by its path what is wrong with each.

    Each method returns None for a member that is missing, null or wrong: `parse` goes on, so that all faults of a body
    are told at once. What is asked for is known; `finish` refuses the rest.
    """

    def __init__(self, members: JsonObject, *, path: str = "", faults: dict[str, list[str]] | None = None) -> None:
        self.path = path
        self._members = members
        self._faults: dict[str, list[str]] = {} if faults is None else faults
        self._known: dict[str, None] = {}
        self._inner: list[Members] = []

    def __contains__(self, name: str) -> bool:
        """Return whether a member is there and not null; it is known then."""
        return self.value(name) is not None

    @property
    def names(self) -> Sequence[str]:
        """Return the names that were sent, for an object whose names the caller chose."""
        return list(self._members)

    def value(self, name: str) -> Json:
        """Return a member as it was sent."""
        self._known[name] = None
        return self._members.get(name)

    def note(self, name: str, message: str) -> None:
        """Note what is wrong with a member, or with this object itself if the name is empty."""
        self._faults.setdefault(self.path_of(name), []).append(message)

    def note_expected(self, name: str, expected: str) -> None:
        """Note that a member is not what it should be."""
        self.note(name, f"Expected {expected}; found {_shown(self.value(name))}.")

    def note_all(self, error: InvalidRequestError) -> None:
        """Note the faults of a part that was read elsewhere, by their paths in the body."""
        for path, messages in error.errors.items():
            self._faults.setdefault(path, []).extend(messages)

    def path_of(self, name: str) -> str:
        """Return the path of a member in the body, like `stages.SENT_TO_COMFY.min`."""
        return (f"{self.path}.{name}" if self.path and name else self.path or name) or ROOT

    def text(self, name: str, *, most: int = MOST_CHARACTERS) -> str | None:
        """Return a text of 1 to `most` characters."""
        return self._read(name, partial(_text, most=most), f"a text of 1 to {most} characters")

    def texts(self, name: str, *, most: int = MOST_ITEMS) -> Sequence[str] | None:
        """Return a list of texts that are not empty."""
        return self._read(name, partial(_texts, most=most), f"a list of at most {most} texts that are not empty")

    def word(self, name: str, words: type[Word]) -> Word | None:
        """Return one of the words of an enumeration."""
        value = self._read(name, _text, f"one of {', '.join(words)}")
        if value is None or value in list(words):
            return None if value is None else words(value)
        self.note(name, unknown_name("value", value, words))
        return None

    def whole(self, name: str, *, least: int = INT64_MIN, most: int = UINT64_MAX) -> int | None:
        """Return a whole number in these bounds."""
        convert = partial(_whole, least=least, most=most)
        return self._read(name, convert, f"a whole number from {least} to {most}")

    def number(self, name: str, *, least: float, most: float) -> float | None:
        """Return a number in these bounds."""
        return self._read(name, partial(_number, least=least, most=most), f"a number from {least:g} to {most:g}")

    def flag(self, name: str) -> bool | None:
        return self._read(name, lambda value: value if isinstance(value, bool) else None, "true or false")

    def parsed(self, name: str, parse: Callable[[Json], T], *, expected: str) -> T | None:
        """Return what `parse` makes of a member; it raises `ValueError` for what is not as `expected`."""

        def convert(value: Json) -> T | None:
            try:
                return parse(value)
            except ValueError:
                return None

        return self._read(name, convert, expected)

    def date(self, name: str) -> datetime | None:
        """Return an ISO 8601 date that a clock can show; without an offset it is UTC."""
        moment = self.parsed(name, _moment, expected=A_DATE)
        if moment is not None and not is_date(moment):
            self.note(name, f"Expected a date from {EARLIEST_DATE.year} to {LATEST_DATE.year - 1}.")
            return None
        return moment

    def duration(self, name: str) -> timedelta | None:
        return self.parsed(name, _duration, expected=EXPECTED.removeprefix("expected "))

    def inner(self, name: str) -> "Members | None":
        """Return the members of an object in this one."""
        value = self._read(name, lambda value: value if isinstance(value, dict) else None, "a JSON object")
        return None if value is None else self._open(name, value)

    def each(self, name: str, *, most: int = MOST_ITEMS) -> "Sequence[Members] | None":
        """Return the members of each object in a list."""
        values = self._read(name, partial(_objects, most=most), f"a list of at most {most} JSON objects")
        return None if values is None else [self._open(f"{name}[{index}]", value) for index, value in enumerate(values)]

    def exactly_one(self, *names: str) -> str | None:
        """Return which one of these members is there; note a fault unless it is just one."""
        found = [name for name in names if name in self]
        if len(found) == 1:
            return found[0]
        self.note(found[1] if found else "", f"Expected exactly one of {', '.join(names)}.")
        return None

    def required(self, name: str, value: T | None) -> T | None:
        """Return the value of a member; note a fault if it is missing."""
        if value is None and self._members.get(name) is None:
            self.note(name, "This member is required.")
        return value

    def finish(self) -> None:
        """Raise `InvalidRequestError` for what was noted, and for members that nobody asked for."""
        self._note_unknown()
        if self._faults:
            raise invalid(self._faults)

    def _note_unknown(self) -> None:
        for name in self._members.keys() - self._known.keys():
            self.note(name, unknown_name("member", name, self._known) if self._known else "No member is known here.")
        for inner in self._inner:
            inner._note_unknown()  # noqa: SLF001 - of the same class

    def _open(self, name: str, value: JsonObject) -> "Members":
        inner = Members(value, path=self.path_of(name), faults=self._faults)
        self._inner.append(inner)
        return inner

    def _read(self, name: str, convert: Callable[[Json], T | None], expected: str) -> T | None:
        value = self.value(name)
        found = None if value is None else convert(value)
        if value is not None and found is None:
            self.note_expected(name, expected)
        return found


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:MOST_SHOWN]


def _text(value: Json, *, most: int = MOST_CHARACTERS) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= most else None


def _texts(value: Json, *, most: int) -> Sequence[str] | None:
    texts = [text for item in as_list(value) if (text := _text(item)) is not None]
    return texts if isinstance(value, list) and len(value) == len(texts) <= most else None


def _moment(value: Json) -> datetime:
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError from error


def _duration(value: Json) -> timedelta:
    return parse_duration(value if isinstance(value, str) else "")


def _objects(value: Json, *, most: int) -> Sequence[JsonObject] | None:
    objects = [item for item in as_list(value) if isinstance(item, dict)]
    return objects if isinstance(value, list) and len(value) == len(objects) <= most else None


def _whole(value: Json, *, least: int, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None


def _number(value: Json, *, least: float, most: float) -> float | None:
    number = as_number(value)
    return None if number is None or not least <= number <= most else float(number)
