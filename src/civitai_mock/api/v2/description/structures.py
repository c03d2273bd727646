"""Readers of arrays, maps and objects: they fill in defaults and drop what is not known, at every depth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from civitai_mock.api.v2.description.document import Branch
from civitai_mock.api.v2.description.faults import MOST_SHOWN, Faults, Place, shown
from civitai_mock.api.v2.description.values import Reader, other_kind
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.references import is_reference


class Missing:
    """Is the type of what a member has that has no default."""


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Says how one member of an object is read; a default that is a list or an object is empty."""

    name: str
    read: Reader
    default: "Json | Missing" = MISSING
    is_required: bool = False
    is_nullable: bool = False


def array_reader(read_item: Reader, *, fewest: int, most: float, is_unique: bool) -> Reader:
    def read(value: Json, place: Place, faults: Faults) -> Json:
        if not isinstance(value, list):
            return other_kind(value, "an array", place, faults)
        if not fewest <= len(value) <= most:
            rule = f"at least {fewest}" if len(value) < fewest else f"at most {most:g}"
            faults.add(place, f"Expected {rule} items; found {len(value)}.")
            return value
        items = [read_item(item, (place, index), faults) for index, item in enumerate(value)]
        if is_unique and _has_repeated_text(items):
            faults.add(place, "Expected items that differ; found one more than once.")
        return items

    return read


def _has_repeated_text(items: Sequence[Json]) -> bool:
    """Return whether a text is there twice; only arrays of texts have to have unique items."""
    texts = [item for item in items if isinstance(item, str)]
    return len(set(texts)) < len(texts)


def map_reader(read_item: Reader) -> Reader:
    """Return a reader of an object whose names the caller chose."""

    def read(value: Json, place: Place, faults: Faults) -> Json:
        if not isinstance(value, dict):
            return other_kind(value, "an object", place, faults)
        if is_reference(value):
            return value
        return {name: read_item(item, (place, name), faults) for name, item in value.items()}

    return read


def read_any_object(value: Json, place: Place, faults: Faults) -> Json:
    return value if isinstance(value, dict) else other_kind(value, "an object", place, faults)


class ObjectReader:
    """Reads an object with known members.

    Names are read in any case, as .NET does; of two spellings the official one counts. An object that `is_open` keeps
    the members that are not known, as it is one that is newer than the description.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        spellings: Mapping[str, str],
        is_open: bool = False,
        may_be_reference: bool = True,
    ) -> None:
        self._members = [
            (member.name, member.read, *_default_of(member), member.is_required, member.is_nullable)
            for member in members
        ]
        self._spelling = Spelling((member.name for member in members), spellings)
        self._is_open = is_open
        self._may_be_reference = may_be_reference

    def __call__(self, value: Json, place: Place, faults: Faults) -> Json:
        if not isinstance(value, dict):
            return other_kind(value, "an object", place, faults)
        if self._may_be_reference and is_reference(value):
            return value
        given = self._spelling.official(value)
        result: JsonObject = {}
        for name, read, default, copy, is_required, is_nullable in self._members:
            if name in given and not ((item := given[name]) is None and is_nullable):
                result[name] = read(item, (place, name), faults)
            elif copy is not None:
                result[name] = copy()
            elif not isinstance(default, Missing):
                result[name] = default
            elif is_required:
                faults.add((place, name), f"The {name} field is required.")
        if self._is_open:
            result |= {name: item for name, item in given.items() if name not in result and item is not None}
        return result


def _default_of(member: Member) -> "tuple[Json | Missing, Callable[[], Json] | None]":
    """Return the value of a member that was not sent, or what makes it, a new list or object each time."""
    default = member.default
    return (MISSING, default.copy) if isinstance(default, (list, dict)) else (default, None)


class Spelling:
    """Knows the names of the members of an object, and reads them in any case and in their other spellings."""

    def __init__(self, names: Iterable[str], spellings: Mapping[str, str]) -> None:
        self._names = frozenset(names)
        self._by_lower_case = {name.lower(): name for name in self._names}
        self._by_lower_case |= {other.lower(): name for other, name in spellings.items() if name in self._names}

    def official(self, value: JsonObject) -> JsonObject:
        """Return an object with the official names of its members; of two spellings the official one counts."""
        names, by_lower_case = self._names, self._by_lower_case
        if value.keys() <= names:
            return value
        others = {by_lower_case.get(name.lower(), name): item for name, item in value.items() if name not in names}
        return others | {name: item for name, item in value.items() if name in names}


class BranchReader:
    """Reads an object by the schema that a word in it picks.

    `find` returns the reader of a schema by its name, and `members` has the members of each. A word that is not known
    is a fault, but for an object that has an `open_reader`, which takes it as it is newer than the description.
    """

    def __init__(
        self,
        branch: Branch,
        *,
        find: Callable[[str], Reader],
        spelling: Spelling,
        default: str | None,
        open_reader: Reader | None,
        infer: Callable[[JsonObject], str] | None,
    ) -> None:
        self._branch = branch
        self._find = find
        self._spelling = spelling
        self._default = default
        self._open_reader = open_reader
        self._infer = infer
        self._readers: dict[str, Reader] = {}
        self._words = {word.lower(): word for word in branch.schemas}

    def __call__(self, value: Json, place: Place, faults: Faults) -> Json:
        if not isinstance(value, dict):
            return other_kind(value, "an object", place, faults)
        word = value.get(self._branch.member)
        reader = self._readers.get(word) if isinstance(word, str) else None
        if reader is None:
            if is_reference(value):
                return value
            reader = self._reader_of(self._word(value), place, faults)
        return value if reader is None else reader(value, place, faults)

    def _word(self, value: JsonObject) -> Json:
        word = self._spelling.official(value).get(self._branch.member)
        if word is None:
            return self._infer(value) if self._infer else self._default
        return self._words.get(word.lower(), word) if isinstance(word, str) else word

    def _reader_of(self, word: Json, place: Place, faults: Faults) -> Reader | None:
        """Return the reader that a word picks; None after adding a fault."""
        member, schemas = self._branch.member, self._branch.schemas
        if isinstance(word, str) and word in schemas:
            return self._readers.setdefault(word, self._find(schemas[word]))
        if is_reference(word):
            return read_any_object
        if isinstance(word, str) and self._open_reader:
            return self._open_reader
        if word is None:
            faults.add((place, member), f"The {member} field is required: one of {shown(list(schemas))}.")
        elif isinstance(word, str):
            nearest = get_close_matches(word[:MOST_SHOWN], schemas, n=1)
            hint = f"Did you mean '{nearest[0]}'?" if nearest else f"Known are {shown(list(schemas))}."
            faults.add((place, member), f"There is no derived type with {member} '{word[:MOST_SHOWN]}'. {hint}")
        else:
            faults.add_kind((place, member), "a string", word)
        return None
