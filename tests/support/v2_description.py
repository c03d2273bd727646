"""Check answers of v2 against its official description, with the deviations that the code lists.

The checks are those of JSON Schema, so that they share nothing with the readers of requests but the description.
"""

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from civitai_mock.api.v2.description.deviations import AGEING_WORDS, SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import (
    ObjectSchema,
    Schema,
    Schemas,
    object_schema,
    recipe_schemas,
    schemas_for,
)
from civitai_mock.api.v2.description.values import translated

DEFINITIONS = "#/$defs/"
REFERENCE: Schema = {
    "type": "object",
    "required": ["$ref", "path"],
    "properties": {"$ref": {"type": "string"}, "path": {"type": "string"}},
}
QUERY_RESULT = "CursedArrayOfTelemetryCursorAndWorkflow"
PATTERNS: Mapping[str, str] = {
    # Up to seven decimals, without the zeros at their end (captures).
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z",
    "date-span": r"(\d+\.)?\d\d:\d\d:\d\d(\.\d{7})?",
    "uri": r"[a-z][a-z0-9+.-]*:\S+",
}
BITS: Mapping[str, int] = {"int32": 32, "int64": 64}


def check_answer(name: str, answer: object) -> None:
    """Check a Workflow, WorkflowStep, ImageBlob… as an answer has it; an AssertionError names each fault."""
    faults = answer_faults(name, answer)
    assert not faults, "\n".join(faults)


def check_output(recipe: str, answer: object) -> None:
    """Check what a recipe answers, or a step has as its output."""
    check_answer(str(recipe_schemas()[recipe].output["$ref"]).removeprefix(SCHEMAS_PATH), answer)


def answer_faults(name: str, answer: object, side: Side = Side.ANSWERS) -> list[str]:
    return [f"{fault.json_path}: {fault.message[:300]}" for fault in validator(name, side).iter_errors(answer)]


@cache
def validator(name: str, side: Side = Side.ANSWERS) -> Draft202012Validator:
    return validator_of(_definitions(side), name)


def definitions_of(schemas: Schemas, *, is_strict: bool = False) -> Schema:
    """Return all schemas as JSON Schema has them.

    If it `is_strict` no word may be newer than the description and no reference may stand anywhere; unknown members,
    which requests may have, and texts that are no URL are taken.
    """
    return {name: _definition(schemas, name, is_strict=is_strict) for name in schemas}


def validator_of(definitions: Schema, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": DEFINITIONS + name, "$defs": definitions}, format_checker=_format_checker())


@cache
def _definitions(side: Side) -> Schema:
    return definitions_of(schemas_for(side))


@cache
def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, pattern in PATTERNS.items():
        checker.checks(name)(partial(_has_format, re.compile(pattern)))
    return checker


def _has_format(pattern: re.Pattern[str], value: object) -> bool:
    return not isinstance(value, str) or pattern.fullmatch(value) is not None


def _definition(schemas: Schemas, name: str, *, is_strict: bool) -> Schema:
    if "properties" not in schemas[name] and "allOf" not in schemas[name]:
        return _value(schemas[name], is_strict=is_strict)
    found = object_schema(schemas, name)
    return _branches(found, is_strict=is_strict) if found.branch else _object(found, is_strict=is_strict)


def _object(found: ObjectSchema, *, is_strict: bool) -> Schema:
    read_only = {name for name, schema in found.members.items() if schema.get("readOnly")}
    return {
        "type": "object",
        "required": sorted(found.required - (read_only - found.words.keys())),
        "properties": {
            name: _member(name, schema, is_strict=is_strict or name in found.words)
            for name, schema in found.members.items()
        },
        "additionalProperties": is_strict,
    }


def _member(name: str, schema: Schema, *, is_strict: bool) -> Schema:
    value = _value(schema, is_strict=is_strict)
    if is_strict:
        return value
    if name in AGEING_WORDS and "pattern" not in schema:
        word: Schema = {"type": ["null", "string"]}
        value = {"anyOf": [word, value]} if "$ref" in schema else word
    return {"if": REFERENCE, "else": value}


def _branches(found: ObjectSchema, *, is_strict: bool) -> Schema:
    """Return a schema of what a word picks; without the word, where it may be missing, any that fits will do."""
    assert found.branch
    member, schemas = found.branch.member, found.branch.schemas
    known: Schema = {member: {"enum": list(schemas)}}
    of_words: list[Schema] = [
        {
            "if": {"properties": {member: {"const": word}}, "required": [member]},
            "then": {"$ref": DEFINITIONS + name},
        }
        for word, name in schemas.items()
    ]
    picked: Schema = {"allOf": of_words}
    if is_strict or member not in AGEING_WORDS:
        picked["properties"] = known
    any_of_them: Schema = {"anyOf": [{"$ref": DEFINITIONS + name} for name in schemas.values()]}
    return {
        "type": "object",
        "if": {"required": [member]},
        "then": picked,
        "else": {"required": [member]} if member in found.required else any_of_them,
    }


def _value(schema: Schema, *, is_strict: bool) -> Schema:
    if "$ref" in schema:
        return {"$ref": DEFINITIONS + str(schema["$ref"]).removeprefix(SCHEMAS_PATH)}
    if schema.get("type") == "null":  # how the generator of the description writes any JSON
        return {}
    value: dict[str, Any] = {name: item for name, item in schema.items() if name not in {"default", "readOnly"}}
    if "pattern" in value:
        value["pattern"] = translated(value["pattern"])
    if value.get("format") in BITS:
        limit = 2 ** (BITS[value["format"]] - 1)
        value = {"minimum": -limit, "maximum": limit - 1} | value
    if is_strict and value.get("format") == "uri":
        del value["format"]
    if "oneOf" in value:
        value["oneOf"] = [_value(each, is_strict=is_strict) for each in value["oneOf"]]
    for name in ("items", "additionalProperties"):
        if value.get(name):
            item = _value(value[name], is_strict=is_strict)
            value[name] = item if is_strict else {"if": REFERENCE, "else": item}
    return value
