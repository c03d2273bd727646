"""Values of the shape that a JSON Schema declares: plausible, bounded, and the same for the same seed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from random import Random
from typing import Any

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.file_recipes import FileRecipe, file_recipe
from civitai_mock.generation.pattern_texts import text_like
from civitai_mock.generation.placeholder_results import seeded_random
from civitai_mock.generation.schema_joining import Resolve, Schema, SchemaJoiner
from civitai_mock.generation.schema_texts import formatted_text, plain_text

SLOT_MEMBER = "$slot"  # of what stands for a blob: the number of its file
MOST_VALUES = 2000  # in all; after them only what is required is made, as small as can be
DEEPEST, DEEPEST_OPTIONAL = 24, 6
LOOKED_AT = 100  # members that cost as much time as a value, if they are left out
ITEMS, MOST_ITEMS = 2, 200
LARGEST = 100
DECIMALS = 4
INTEGER_LIMITS = {"int32": 2**31 - 1, "int64": 2**53 - 1}  # beyond which a reader in JavaScript is not exact
CHOICES = ("oneOf", "anyOf", "allOf")
LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltValue:
    """Is a value with the recipes of its files; an object `{SLOT_MEMBER: n}` stands where the blob of a file will."""

    value: Json
    files: tuple[FileRecipe, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """Says how to read schemas that name others.

    `resolve` finds what a `$ref` names. Of the schemas that a discriminator tells apart that one is taken whose word is
    in `words`, by the name of the discriminator's member, else any. `blob_types` has the content types of blobs, by the
    `$ref` that stands for one.
    """

    resolve: Resolve
    words: Mapping[str, str] = field(default_factory=dict)
    blob_types: Mapping[str, str] = field(default_factory=dict)


def build_value(schema: Schema, *, seed: str, shapes: Shapes | None = None) -> BuiltValue:
    """Return a value that the schema allows, as far as its keywords are known here.

    `not`, `if`, `patternProperties` and their like are not looked at. Without `shapes` a `$ref` names a part of the
    schema itself (`#/$defs/…`). A schema that needs itself without end gets null at some depth.
    """
    builder = _Builder(shapes or Shapes(resolve=_parts_of(schema)), seeded_random(seed))
    value = builder.value(schema, depth=0)
    return BuiltValue(value=value, files=tuple(builder.files))


def filled(value: Json, render: Callable[[int], Json]) -> Json:
    """Return a built value with what `render` makes of the number of a file in the place of its blob."""
    if isinstance(value, dict):
        number = value.get(SLOT_MEMBER)
        if isinstance(number, int) and len(value) == 1:
            return render(number)
        return {name: filled(item, render) for name, item in value.items()}
    return [filled(item, render) for item in value] if isinstance(value, list) else value


def _parts_of(schema: Schema) -> Resolve:
    def resolve(reference: str) -> Schema:
        part: Any = schema
        for step in reference.removeprefix("#").split("/")[1:]:
            part = part[step.replace("~1", "/").replace("~0", "~")]
        if not isinstance(part, Mapping):
            raise KeyError(reference)
        return part

    return resolve


class _Builder:
    """Builds one value, and counts what it consists of."""

    def __init__(self, shapes: Shapes, random: Random) -> None:
        self.files: list[FileRecipe] = []
        self._shapes = shapes
        self._joiner = SchemaJoiner(shapes.resolve)
        self._random = random
        self._left = MOST_VALUES

    def value(self, schema: Any, *, depth: int) -> Json:
        self._left -= 1
        if depth > DEEPEST or self._left < -MOST_VALUES or schema is False:
            return None
        if not isinstance(schema, Mapping):
            return plain_text(self._random)
        blob_type = self._blob_type(schema)
        if blob_type is not None:
            self.files.append(file_recipe(blob_type, seed=self._random.getrandbits(31)))
            return {SLOT_MEMBER: len(self.files) - 1}
        whole = self._picked(self._joiner.joined(schema), depth)
        allowed = _allowed_values(whole)
        return self._random.choice(allowed) if allowed else BUILDERS[_type_of(whole)](self, whole, depth)

    def _blob_type(self, schema: Schema) -> str | None:
        """Return the content type of a blob where a schema names one, alone or among others."""
        named = [schema, *(one for keyword in CHOICES for one in schema.get(keyword, ()) if isinstance(one, Mapping))]
        types = (self._shapes.blob_types.get(one.get("$ref", "")) for one in named)
        return next((found for found in types if found is not None), None)

    def _picked(self, schema: Schema, depth: int) -> Schema:
        """Return the schema that one of several keywords picks, joined with what holds for all of them."""
        options = self._options(schema)
        if not options or depth > DEEPEST:
            return schema
        common = {name: value for name, value in schema.items() if name not in {"oneOf", "anyOf", "discriminator"}}
        whole = self._joiner.joined({"allOf": [common, self._random.choice(options)]})
        return self._picked(whole, depth + 1)

    def _options(self, schema: Schema) -> list[Schema]:
        mapping = schema.get("discriminator", {}).get("mapping")
        if mapping:
            wanted = self._shapes.words.get(schema["discriminator"]["propertyName"], "")
            return [self._shapes.resolve(mapping.get(wanted) or self._random.choice([*mapping.values()]))]
        options = [one for one in (schema.get("oneOf") or schema.get("anyOf") or ()) if isinstance(one, Mapping)]
        return [one for one in options if one.get("type") != "null"] or options

    def members(self, schema: Schema, depth: int) -> JsonObject:
        required, value, properties = schema.get("required", ()), {}, schema.get("properties", {})
        self._left -= len(properties) // LOOKED_AT
        for name, member in properties.items():
            is_wanted = depth < DEEPEST_OPTIONAL and self._left > 0
            if name in required or is_wanted:
                made = self.value(member, depth=depth + 1)
                if made is not None or name in required:
                    value[name] = made
        value |= {name: plain_text(self._random) for name in required if name not in value}
        return value | self._other_members(schema, value, depth)

    def _other_members(self, schema: Schema, known: JsonObject, depth: int) -> JsonObject:
        """Return members of names that the schema leaves open: one for an object that is a map, else what is needed."""
        others = schema.get("additionalProperties")
        is_map = isinstance(others, Mapping) and not schema.get("properties")
        least = min(max(schema.get("minProperties", 0) - len(known), int(is_map and self._left > 0)), MOST_ITEMS)
        item = others if isinstance(others, Mapping) else {}
        return {f"key{number}": self.value(item, depth=depth + 1) for number in range(1, least + 1)}

    def items(self, schema: Schema, depth: int) -> list[Json]:
        first = [self.value(item, depth=depth + 1) for item in schema.get("prefixItems", ())]
        rest = schema.get("items", {})
        least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_ITEMS)
        is_wanted = self._left > 0 and depth < DEEPEST_OPTIONAL and not first
        count = min(max(ITEMS if is_wanted else 0, least), most, MOST_ITEMS)
        made = list(first)
        for _ in range(count * (3 if schema.get("uniqueItems") else 1)):
            if rest is False or len(made) >= count:
                break
            item = self.value(rest, depth=depth + 1)
            if not schema.get("uniqueItems") or item not in made:
                made.append(item)
        return made

    def text(self, schema: Schema, _: int) -> str:
        pattern, form = schema.get("pattern"), schema.get("format")
        if isinstance(pattern, str):
            matching = text_like(pattern, self._random)
            if matching is not None:
                return matching
        formatted = formatted_text(form, self._random) if isinstance(form, str) else None
        if formatted is not None:
            return formatted
        return plain_text(self._random, least=schema.get("minLength", 0), most=schema.get("maxLength"))

    def number(self, schema: Schema, _: int) -> float:
        low, high = _range(schema)
        step = schema.get("multipleOf")
        if step:
            return float(math.ceil(low / step) * step)
        number = round(self._random.uniform(low, high), DECIMALS)
        return number if low <= number <= high else (low + high) / 2

    def whole_number(self, schema: Schema, _: int) -> int:
        low, high = _range(schema)
        step = max(int(schema.get("multipleOf", 1)), 1)
        first = math.ceil(low / step)
        return self._random.randint(first, max(math.floor(high / step), first)) * step

    def truth(self, _: Schema, __: int) -> bool:
        """Return what nobody is alarmed at: nothing is blocked, found or needed."""
        return False

    def nothing(self, _: Schema, __: int) -> None:
        return None


def _range(schema: Schema) -> tuple[float, float]:
    """Return the least and the greatest number allowed."""
    nudge = 1 if _type_of(schema) == "integer" else 10**-DECIMALS
    low = _limit(schema, "minimum", "exclusiveMinimum", nudge)
    high = _limit(schema, "maximum", "exclusiveMaximum", -nudge)
    if low is None:
        low = 0 if high is None or high >= 0 else high - LARGEST
    largest = INTEGER_LIMITS.get(schema.get("format", ""), INTEGER_LIMITS["int64"])
    return low, max(low, min(low + LARGEST, largest) if high is None else high)


def _limit(schema: Schema, name: str, exclusive_name: str, nudge: float) -> float | None:
    """Return a limit that is included; in OpenAPI 3.0 the exclusive one only says whether the other is excluded."""
    limit, exclusive = schema.get(name), schema.get(exclusive_name)
    excluded = limit if exclusive is True else exclusive
    if excluded is None or excluded is False:
        return None if limit is None else float(limit)
    beside = float(excluded) + nudge
    return beside if limit is None else (max if nudge > 0 else min)(beside, float(limit))


def _type_of(schema: Schema) -> str:
    types = schema.get("type")
    found = [types] if isinstance(types, str) else _without_null(types or [])
    if found:
        return str(found[0])
    if "properties" in schema or "additionalProperties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if any(limit in schema for limit in LIMITS) else "string"


def _without_null(options: list[Any]) -> list[Any]:
    return [option for option in options if option not in (None, "null")] or options


def _allowed_values(schema: Schema) -> list[Json]:
    """Return what a schema lists, or its default where that says something; nothing if the value is free."""
    if "const" in schema:
        return [schema["const"]]
    if schema.get("enum"):
        return _without_null(schema["enum"])
    default = schema.get("default")
    return [default] if isinstance(default, str | int | float) else []


BUILDERS: Mapping[str, Callable[[_Builder, Schema, int], Json]] = {
    "object": _Builder.members,
    "array": _Builder.items,
    "string": _Builder.text,
    "number": _Builder.number,
    "integer": _Builder.whole_number,
    "boolean": _Builder.truth,
    "null": _Builder.nothing,
}
