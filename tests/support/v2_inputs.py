"""Make inputs of every kind that the description of v2 has: one for each schema that words in an input can pick."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import (
    ObjectSchema,
    Schema,
    Schemas,
    object_schema,
    recipe_schemas,
    schemas_for,
)

AIR = "urn:air:sdxl:checkpoint:civitai:101055@128078"
TEXTS: Mapping[str, str] = {
    "uri": "https://example.com/image.png",
    "date-time": "2026-01-31T12:00:00Z",
    "date-span": "00:10:00",
}
DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class InputKind:
    """Is one kind of input; `schema` is the name of its schema, or None where that has none."""

    step_type: str
    schema: str | None

    def __str__(self) -> str:
        return f"{self.step_type}-{self.schema}"


@cache
def input_kinds() -> tuple[InputKind, ...]:
    return tuple(
        InputKind(step_type=step_type, schema=name)
        for step_type, schemas in recipe_schemas().items()
        for name in (leaves(schemas_for(Side.REQUESTS), _name(schemas.input)) if "$ref" in schemas.input else [None])
    )


def leaves(schemas: Schemas, name: str) -> Iterator[str]:
    """Yield the schemas that words can pick, or the schema itself."""
    found = object_schema(schemas, name)
    if found.branch is None:
        yield name
        return
    for picked in found.branch.schemas.values():
        yield from leaves(schemas, picked)


def make_input(kind: InputKind, *, is_full: bool) -> Any:
    """Return an input with all members, or with those that are required."""
    if kind.schema is None:
        return TEXTS["uri"]
    return make_object(schemas_for(Side.REQUESTS), kind.schema, is_full=is_full)


def make_object(schemas: Schemas, name: str, *, is_full: bool, depth: int = 0) -> dict[str, Any]:
    found = object_schema(schemas, name)
    if found.branch is not None:
        return make_object(schemas, next(iter(found.branch.schemas.values())), is_full=is_full, depth=depth)
    return {
        member: found.words[member]
        if member in found.words
        else make_value(schemas, schema, is_full=is_full, depth=depth)
        for member, schema in found.members.items()
        if member in found.words or _is_wanted(found, member, schema, is_full=is_full and depth < DEEPEST)
    }


def make_value(schemas: Schemas, schema: Schema, *, is_full: bool, depth: int = 0) -> Any:
    if "$ref" in schema:
        name = _name(schema)
        if "enum" not in schemas[name]:
            return make_object(schemas, name, is_full=is_full, depth=depth + 1)
        schema = schemas[name]
    if "oneOf" in schema:
        schema = schema["oneOf"][0]
    kinds = schema.get("type", "null")
    match next((kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"), None):
        case "array":
            count = max(schema.get("minItems", 0), 1)
            return [make_value(schemas, schema["items"], is_full=is_full, depth=depth + 1) for _ in range(count)]
        case "object":
            item = schema.get("additionalProperties")
            return {AIR: make_value(schemas, item, is_full=is_full, depth=depth + 1) if item else "a text"}
        case kind:
            return _plain_value(kind, schema)


def _plain_value(kind: str | None, schema: Schema) -> Any:
    if "enum" in schema:
        return schema["enum"][-1]
    plain: Mapping[str | None, Any] = {
        "string": _text(schema),
        "boolean": True,
        "integer": schema.get("maximum", schema.get("minimum", 7)),
        "number": schema.get("maximum", schema.get("minimum", 7.5)),
        None: {"any": [1, None]},
    }
    return plain[kind]


def _text(schema: Schema) -> str:
    if "ecosystem" in schema.get("pattern", ""):
        return AIR
    return TEXTS.get(schema.get("format", ""), "a text")[: schema.get("maxLength")]


def _is_wanted(found: ObjectSchema, member: str, schema: Schema, *, is_full: bool) -> bool:
    return not schema.get("readOnly") and (is_full or member in found.required)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix(SCHEMAS_PATH)
