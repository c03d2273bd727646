"""Readers of single values: each checks a value and returns it as the real service understands it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from civitai_mock.api.v2.description.faults import MOST_SHOWN, Faults, Place, shown
from civitai_mock.domain.air import MAX_AIR_LENGTH
from civitai_mock.domain.dotnet import format_timespan, parse_timespan, plain_number
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.references import is_reference

Reader: TypeAlias = Callable[[Json, Place, Faults], Json]

LONGEST_TIMEOUT = timedelta(days=1)
JSON_KINDS: Mapping[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
# .NET writes names of groups in another way.
GROUP_NAME = re.compile(r"\(\?<(?![=!])")


def any_value(value: Json, place: Place, faults: Faults) -> Json:
    del place, faults
    return value


def other_kind(value: Json, expected: str, place: Place, faults: Faults) -> Json:
    """Take a value that is not JSON of the expected kind, if it is a reference."""
    if not is_reference(value):
        faults.add_kind(place, expected, value)
    return value


def integer_reader(low: int, high: int) -> Reader:
    def read(value: Json, place: Place, faults: Faults) -> Json:
        if type(value) is not int:
            return other_kind(value, "an integer", place, faults)
        if not low <= value <= high:
            faults.add(place, f"The field {_name(place)} must be between {low} and {high}; found {value}.")
        return value

    return read


def number_reader(low: float, high: float) -> Reader:
    def read(value: Json, place: Place, faults: Faults) -> Json:
        if type(value) is float:
            value = plain_number(value)
        elif type(value) is not int:
            return other_kind(value, "a number", place, faults)
        if not low <= value <= high:
            faults.add(place, f"The field {_name(place)} must be between {low:g} and {high:g}; found {value:g}.")
        return value

    return read


def read_boolean(value: Json, place: Place, faults: Faults) -> Json:
    return value if isinstance(value, bool) else other_kind(value, "true or false", place, faults)


def read_text(value: Json, place: Place, faults: Faults) -> Json:
    if not isinstance(value, str):
        return other_kind(value, "a string", place, faults)
    if "\0" in value:
        faults.add(place, f"The field {_name(place)} must not have NUL characters.")
    return value


def sized_text_reader(fewest: int, most: float) -> Reader:
    def read(value: Json, place: Place, faults: Faults) -> Json:
        if isinstance(value, str) and not fewest <= len(value) <= most:
            rule = f"at least {fewest}" if fewest > len(value) else f"at most {most:g}"
            faults.add(place, f"The field {_name(place)} must have {rule} characters; found {len(value)}.")
            return value
        return read_text(value, place, faults)

    return read


def pattern_reader(pattern: str, rest: Reader) -> Reader:
    """Return a reader of texts that are what `rest` reads, no longer than an AIR, and match a pattern of .NET."""
    matches = re.compile(translated(pattern)).fullmatch
    expected = "an AIR like urn:air:sdxl:checkpoint:civitai:101055@128078" if "ecosystem" in pattern else pattern

    def read(value: Json, place: Place, faults: Faults) -> Json:
        if isinstance(value, str) and (len(value) > MAX_AIR_LENGTH or not matches(value)):
            faults.add(place, f"The field {_name(place)} must match {expected}; found '{value[:MOST_SHOWN]}'.")
            return value
        return rest(value, place, faults)

    return read


def translated(pattern: str) -> str:
    """Return a pattern of .NET in the spelling of Python."""
    return GROUP_NAME.sub("(?P<", pattern)


def word_reader(words: Sequence[str], *, is_open: bool) -> Reader:
    """Return a reader of words, in any case as .NET reads enums; if it `is_open` it takes other words as they are."""
    official = {word.lower(): word for word in words}
    exact = frozenset(words)

    def read(value: Json, place: Place, faults: Faults) -> Json:
        if not isinstance(value, str):
            return other_kind(value, "a string", place, faults)
        if value in exact:
            return value
        found = official.get(value.lower())
        if found is not None:
            return found
        if not is_open:
            message = f"The field {_name(place)} must be one of {shown(words)}; found '{value[:MOST_SHOWN]}'."
            faults.add(place, message)
        return value

    return read


def one_of_reader(values: Collection[int]) -> Reader:
    """Return a reader of some integers."""

    def read(value: Json, place: Place, faults: Faults) -> Json:
        if type(value) is not int:
            return other_kind(value, "an integer", place, faults)
        if value not in values:
            faults.add(place, f"The field {_name(place)} must be one of {shown(list(values))}; found {value}.")
        return value

    return read


def one_kind_reader(readers: Mapping[str | None, Reader]) -> Reader:
    """Return a reader that reads each kind of JSON in another way."""
    expected = " or ".join(str(kind) for kind in readers)

    def read(value: Json, place: Place, faults: Faults) -> Json:
        kind = JSON_KINDS[type(value)]
        reader = readers.get(kind) or readers.get("number" if kind == "integer" else kind)
        return other_kind(value, expected, place, faults) if reader is None else reader(value, place, faults)

    return read


def constant_reader(word: str) -> Reader:
    """Return a reader of the word that has picked the schema."""

    def read(value: Json, place: Place, faults: Faults) -> Json:
        del value, place, faults
        return word

    return read


def read_timespan(value: Json, place: Place, faults: Faults) -> Json:
    if not isinstance(value, str):
        return other_kind(value, "a duration like 00:10:00", place, faults)
    try:
        duration = parse_timespan(value)
    except ValueError as error:
        faults.add(place, f"The field {_name(place)} is wrong: {error}.")
        return value
    if not timedelta() < duration <= LONGEST_TIMEOUT:
        faults.add(place, f"The field {_name(place)} must be above 0 and at most one day.")
    return format_timespan(duration)


def read_date(value: Json, place: Place, faults: Faults) -> Json:
    if not isinstance(value, str):
        return other_kind(value, "a date like 2026-01-31T12:00:00Z", place, faults)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        faults.add(place, f"The field {_name(place)} must be a date like 2026-01-31T12:00:00Z.")
    return value


def _name(place: Place) -> str | int:
    """Return the name of a member, or the number of an item."""
    if place is None:
        return "input"
    part = place[1]
    return part[:MOST_SHOWN] if isinstance(part, str) else part
