"""Values of any declared shape: what a validator of JSON Schema says of them, and that they stay small."""

import json
import re
import sys
from time import process_time
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import recipe_schemas, schemas_for
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.pattern_texts import text_like
from civitai_mock.generation.placeholder_results import seeded_random
from civitai_mock.generation.schema_values import Shapes, build_value, filled
from tests.support.table import table
from tests.support.v2_description import check_output

SCHEMAS: dict[str, Any] = {
    "words": {"type": "string"},
    "no more than three characters": {"type": "string", "maxLength": 3},
    "many characters": {"type": "string", "minLength": 200, "maxLength": 210},
    "exactly seven characters": {"type": "string", "minLength": 7, "maxLength": 7},
    "one of some": {"enum": ["a", 2, {"b": 3}]},
    "only one": {"const": {"a": [1]}},
    "maybe null": {"type": ["null", "integer"], "minimum": 3},
    "null or one of some": {"enum": [None, "x"]},
    "nothing": {"type": "null"},
    "within limits": {"type": "number", "minimum": -2.5, "maximum": -2.25},
    "beyond limits": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    "negative": {"type": "integer", "exclusiveMaximum": 0},
    "one whole number": {"type": "integer", "exclusiveMinimum": 4, "maximum": 5},
    "steps": {"type": "integer", "minimum": 10, "multipleOf": 7},
    "parts": {"type": "number", "minimum": 1, "maximum": 2, "multipleOf": 0.25},
    "large": {"type": "integer", "minimum": 2**40, "format": "int64"},
    "true or false": {"type": "boolean"},
    "members": {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "integer"},
            "c": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["a", "b", "c"],
        "additionalProperties": False,
    },
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
    "a member without a schema": {"type": "object", "required": ["a"]},
    "a list": {"type": "array", "items": {"type": "string"}, "minItems": 5, "maxItems": 6},
    "an empty list": {"type": "array", "maxItems": 0},
    "a list of different items": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 2},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    "one of two": {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "array", "items": {"type": "null"}}]},
    "any of two": {
        "anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}]
    },
    "all of them": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer", "minimum": 5}}, "required": ["b"]},
            {"properties": {"b": {"maximum": 6}}},
        ]
    },
    "what is common to options": {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "required": ["kind"],
        "oneOf": [{"properties": {"kind": {"const": "x"}}}, {"properties": {"kind": {"const": "y"}}}],
    },
    "references": {
        "type": "object",
        "properties": {"first": {"$ref": "#/$defs/name"}, "next": {"$ref": "#/$defs/a~1b"}},
        "required": ["first", "next"],
        "$defs": {"name": {"type": "string", "maxLength": 4}, "a/b": {"type": "integer"}},
    },
    "a tree": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "nodes": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["name", "nodes"],
            }
        },
    },
    "a type that is not said": {"properties": {"a": {"minimum": 3}, "b": {"items": {"type": "string"}}}},
    "anything": {},
    "anything at all": True,
    **{
        f"format {name}": {"type": "string", "format": name}
        for name in ("date-time", "date", "uri", "uuid", "email", "ipv4", "ipv6", "hostname", "json-pointer")
    },
    **{
        f"pattern {pattern}": {"type": "string", "pattern": pattern}
        for pattern in (
            r"^[A-Z]{3}-\d{4}$",
            r"^(red|green|blue)$",
            r"^#[0-9a-fA-F]{6}$",
            r"^\w+@\w+\.(com|org)$",
            r"^[^\s,]{2,5}$",
            r"^(\d+)-\1$",
            r"^a?b*c+.$",
            r"^\S\D\W$",
            r"^(?:urn:)?(?:air:)?(?P<source>[a-zA-Z0-9_\-\/]+):(?P<id>[a-zA-Z0-9_\-\/\.]+)$",
            r"^é+$",
        )
    },
}


@table("name", SCHEMAS)
@table("seed", ["1", "2", "3"])
def test_a_value_is_what_its_schema_allows(name: str, seed: str) -> None:
    schema = SCHEMAS[name]
    value = build_value(schema, seed=seed).value
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)
    assert value == build_value(schema, seed=seed).value
    json.dumps(value)


def test_another_seed_makes_another_value() -> None:
    values = {json.dumps(build_value(SCHEMAS["members"], seed=str(seed)).value) for seed in range(5)}
    assert len(values) == 5


def test_optional_members_are_there_too() -> None:
    value = build_value({"properties": {"a": {"type": "string"}, "b": {"type": "null"}}}, seed="1").value
    assert isinstance(value, dict)
    assert list(value) == ["a"], "but not those that would be null"


def test_exclusive_limits_of_openapi_3_0_are_read() -> None:
    schema = {"type": "integer", "minimum": 4, "exclusiveMinimum": True, "maximum": 6, "exclusiveMaximum": True}
    assert build_value(schema, seed="1").value == 5


@table("recipe", sorted(recipe_schemas()))
@table("seed", ["1", "2"])
def test_the_output_of_every_recipe_can_be_built(recipe: str, seed: str) -> None:
    schemas = schemas_for(Side.ANSWERS)
    blob_types = {f"{SCHEMAS_PATH}{name}": content_type for name, content_type in BLOB_TYPES.items()}
    shapes = Shapes(resolve=lambda name: schemas[name.removeprefix(SCHEMAS_PATH)], blob_types=blob_types)
    built = build_value(recipe_schemas()[recipe].output, seed=seed, shapes=shapes)
    value = filled(built.value, lambda number: blob(number, built.files[number].content_type))
    check_output(recipe, value)
    assert json.dumps(value).count('"blob-') == len(built.files)


BLOB_TYPES = {
    "ImageBlob": "image/jpeg",
    "VideoBlob": "video/mp4",
    "AudioBlob": "audio/mpeg",
    "Model3DBlob": "model/gltf-binary",
    "Blob": "image/png",
}


def blob(number: int, content_type: str) -> Json:
    kind = {"model/gltf-binary": "model3d"}.get(content_type, content_type.partition("/")[0])
    more: dict[str, Json] = {"format": "glb"} if kind == "model3d" else {}
    return {"type": kind, "id": f"blob-{number}", "available": True, **more}


def test_a_discriminator_takes_the_word_that_is_wanted() -> None:
    schemas: dict[str, Any] = {
        "Base": {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "required": ["kind"],
            "discriminator": {"propertyName": "kind", "mapping": {"a": "A", "b": "B"}},
        },
        "A": {
            "allOf": [{"$ref": "Base"}, {"properties": {"kind": {"enum": ["a"]}, "x": {"const": 1}}, "required": ["x"]}]
        },
        "B": {
            "allOf": [{"$ref": "Base"}, {"properties": {"kind": {"enum": ["b"]}, "y": {"const": 2}}, "required": ["y"]}]
        },
    }
    for word, value in {"a": {"kind": "a", "x": 1}, "b": {"kind": "b", "y": 2}}.items():
        shapes = Shapes(resolve=schemas.__getitem__, words={"kind": word})
        assert build_value({"$ref": "Base"}, seed="1", shapes=shapes).value == value


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema, "b": schema}, "required": ["a", "b"]}
    return schema


def joined(part: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that extends a part by way of another one, a hundred thousand times."""
    hundreds: dict[str, Any] = {"allOf": [{"$ref": "#/$defs/part"}] * 1000}
    return {"$defs": {"part": part, "hundreds": hundreds}, "allOf": [{"$ref": "#/$defs/hundreds"}] * 100}


HOSTILE: dict[str, Any] = {
    "itself": {"$ref": "#"},
    "itself in all": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
    "itself in any": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    "two of itself": {"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]},
    "doubled again and again": nested(40),
    "lists of lists": {"$defs": {"x": {"items": {"$ref": "#/$defs/x"}, "minItems": 200}}, "$ref": "#/$defs/x"},
    "a very long text": {"type": "string", "minLength": 10**9},
    "a very long list": {"type": "array", "minItems": 10**9},
    "very many members": {"type": "object", "minProperties": 10**9},
    "a pattern without end": {"type": "string", "pattern": r"((a{9999}){9999}){9999}"},
    "nothing very often": {"type": "string", "pattern": r"((){9999}){9999}b"},
    "backtracking": {"type": "string", "pattern": r"^(a+)+$"},
    "a broken pattern": {"type": "string", "pattern": r"(["},
    "an unknown reference": {"$ref": "#/$defs/gone"},
    "many properties": {"properties": {str(number): {"type": "string"} for number in range(50_000)}},
    "many properties joined very often": joined({"properties": {str(number): {} for number in range(10_000)}}),
    "many words joined very often": joined({"enum": list(range(10_000))}),
    "many optional members in many items": {
        "type": "array",
        "minItems": 200,
        "items": {
            "type": "array",
            "minItems": 200,
            "items": {"type": "object", "properties": {str(number): {} for number in range(10_000)}},
        },
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_makes_a_small_value_soon(name: str) -> None:
    started = process_time()
    value = build_value(HOSTILE[name], seed="1").value
    assert len(json.dumps(value)) < 200_000
    assert process_time() - started < 20, "a bound is missing: it takes milliseconds otherwise"


@pytest.mark.parametrize(
    "pattern", [r"[\d]{3}", r"(?i)abc", r"(?=x)y", r"\bword\b", r"(?<name>\d)", r"[^a-z]", r"\x41\n"]
)
def test_patterns_of_many_kinds_have_texts(pattern: str) -> None:
    text = text_like(pattern, seeded_random("1"))
    assert text
    assert len(text) < 300


def test_a_text_for_a_pattern_matches_it() -> None:
    for pattern in (r"[A-F\d]{8}(-[a-f]{2}){2}", r"x(?:yz|zy){2,3}!?", r"[\w.]+\s[^\w\s]"):
        for seed in range(20):
            text = text_like(pattern, seeded_random(str(seed)))
            assert text is not None
            assert re.fullmatch(pattern, text), (pattern, text)


def test_a_pattern_may_be_nested_as_deep_as_its_parser_goes() -> None:
    deep = "(" * sys.getrecursionlimit() + ")" * sys.getrecursionlimit()
    assert text_like(deep, seeded_random("1")) in {None, ""}
