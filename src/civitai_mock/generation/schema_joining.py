"""Join JSON Schemas that all hold into one; schemas that extend others by `allOf` become whole."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
# Finds the schema that a `$ref` names; raises `KeyError` where there is none.
Resolve: TypeAlias = Callable[[str], Schema]

DEEPEST = 24  # a schema that extends itself is cut off there
MOST_MEMBERS = 20_000  # of all schemas that are joined for one value, each counted as often as it is joined
OF_THE_WHOLE = frozenset({"allOf", "$ref"})


class SchemaJoiner:
    """Joins schemas until there have been so many that nobody would have written them for an honest use."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._left = MOST_MEMBERS

    def joined(self, schema: Schema, *, depth: int = 0) -> Schema:
        """Return a schema without `allOf` and `$ref`, but for those of its members.

        A discriminator of a schema that this one extends is left out: it is what led here.
        """
        self._left -= 1
        if depth > DEEPEST or self._left < 0 or not OF_THE_WHOLE.intersection(schema):
            return schema
        whole: dict[str, Any] = {}
        for part in self._extended(schema):
            known = self.joined(part, depth=depth + 1)
            self._left -= _size_of(known)
            if self._left < 0:
                break
            is_named = "$ref" in schema and "allOf" not in schema  # which only gives the other one its place
            _add(whole, {name: value for name, value in known.items() if is_named or name != "discriminator"})
        _add(whole, {name: value for name, value in schema.items() if name not in OF_THE_WHOLE})
        return whole

    def _extended(self, schema: Schema) -> Iterator[Schema]:
        if "$ref" in schema:
            yield self._found(schema["$ref"])
        for part in schema.get("allOf", ()):
            if isinstance(part, Mapping):
                yield part

    def _found(self, reference: object) -> Schema:
        """Return what a reference names; anything will do where there is nothing."""
        try:
            return self._resolve(str(reference))
        except KeyError:
            return {}


def _size_of(schema: Schema) -> int:
    """Return how many members there are, with those of lists and objects in them."""
    return sum(1 + len(value) if isinstance(value, list | Mapping) else 1 for value in schema.values())


def _add(whole: dict[str, Any], part: Schema) -> None:
    for name, value in part.items():
        whole[name] = JOINERS[name](whole[name], value) if name in whole and name in JOINERS else value


def _both_members(one: Schema, other: Schema) -> Schema:
    members = dict(one)
    for name, schema in other.items():
        members[name] = _both(members[name], schema) if name in members else schema
    return members


def _both(one: Any, other: Any) -> Any:
    return {"allOf": [one, other]} if isinstance(one, Mapping) and isinstance(other, Mapping) else other


def _common(one: list[Any], other: list[Any]) -> list[Any]:
    return [item for item in one if item in other] or other


def _each_once(one: list[Any], other: list[Any]) -> list[Any]:
    return list(dict.fromkeys([*one, *other]))


def _common_types(one: Any, other: Any) -> Any:
    ours, theirs = ([types] if isinstance(types, str) else types for types in (one, other))
    return _common(list(ours), list(theirs))


JOINERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "properties": _both_members,
    "required": _each_once,
    "items": _both,
    "enum": _common,
    "type": _common_types,
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), min),
}
