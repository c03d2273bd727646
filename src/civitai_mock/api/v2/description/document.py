"""Read the description: the official one, what is newer, and the deviations for requests or answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from civitai_mock.api.v2.description.deviations import (
    DEVIATIONS,
    SCHEMAS,
    SCHEMAS_PATH,
    Change,
    Deviation,
    Side,
)
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_object

OFFICIAL = "openapi-v2.json"
NEWER = "newer.json"
DISCRIMINATOR = "discriminator"
SPELLINGS = "x-spellings"
INFERRED = "x-inferred"
RECIPES_PATH = "/v2/consumer/recipes/"
JSON = "application/json"

Schema = dict[str, Any]
Schemas = dict[str, Schema]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Says which schema a word of `member` picks."""

    member: str
    schemas: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSchema:
    """Is a schema of an object together with all that it extends, which JSON Schema alone cannot join.

    `words` has those members, with their word, that say which schema this is. `members` has these first, then the
    schema's own, then those of what it extends, nearest first, as the real service writes them.
    """

    name: str
    root: str
    members: Mapping[str, Schema]
    required: frozenset[str]
    words: Mapping[str, str]
    spellings: Mapping[str, str]
    branch: Branch | None
    is_inferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSchemas:
    """Holds the schemas of the input and the output of a recipe, and of a step of that type."""

    input: Schema
    output: Schema


def official() -> Document:
    """Return the official description, as a new object."""
    return _read(OFFICIAL)


def published() -> Document:
    """Return the official description with what is newer, as a new object."""
    document, newer = official(), _read(NEWER)
    schemas: Schemas = document["components"]["schemas"]
    schemas |= newer["schemas"]
    for name, members in newer["members"].items():
        properties = _own(schemas[name])["properties"]
        properties |= members
    for name, words in newer["words"].items():
        schema, _, member = name.partition(".")
        _value_schema(schemas[schema], member)["enum"] += words
    for name, leaves in newer["leaves"].items():
        _own(schemas[name])[DISCRIMINATOR]["mapping"] |= leaves
    document["paths"] |= newer["paths"]
    return document


@cache
def schemas_for(side: Side) -> Schemas:
    """Return all schemas by name, with the deviations of requests or answers."""
    return deviating_schemas(side, DEVIATIONS)


def deviating_schemas(side: Side, deviations: Iterable[Deviation]) -> Schemas:
    """Return all schemas with these deviations of one side; for `BOTH`, with all that either side allows."""
    schemas: Schemas = published()["components"]["schemas"]
    schemas |= orjson.loads(orjson.dumps(SCHEMAS))
    for deviation in deviations:
        if side is Side.BOTH or deviation.side in {side, Side.BOTH}:
            _apply(deviation, schemas)
    return schemas


@cache
def recipe_schemas() -> Mapping[str, RecipeSchemas]:
    """Return what each recipe takes and answers, by its name, which is a `$type` too."""
    return {
        path.removeprefix(RECIPES_PATH): RecipeSchemas(
            input=operations["post"]["requestBody"]["content"][JSON]["schema"],
            output=operations["post"]["responses"]["200"]["content"][JSON]["schema"],
        )
        for path, operations in published()["paths"].items()
        if path.startswith(RECIPES_PATH)
    }


def object_schema(schemas: Schemas, name: str) -> ObjectSchema:
    """Join the schema called `name` with those that it extends."""
    chain = list(_chain(schemas, name))
    words = _words(chain)
    members: Schema = dict.fromkeys(words)
    for part in chain:
        members = members | {
            member: schema for member, schema in _properties(part).items() if members.get(member) is None
        }
    found = _own(schemas[name]).get(DISCRIMINATOR)
    branch = None
    if found:
        mapping = {word: reference.removeprefix(SCHEMAS_PATH) for word, reference in found["mapping"].items()}
        branch = Branch(member=found["propertyName"], schemas=mapping)
    return ObjectSchema(
        name=name,
        root=chain[-1][0],
        members=members,
        required=frozenset(member for _, part in chain for member in part.get("required", ())),
        words=words,
        spellings={other: member for _, part in chain for other, member in part.get(SPELLINGS, {}).items()},
        branch=branch,
        is_inferred=branch is not None and any(branch.member in part.get(INFERRED, ()) for _, part in chain),
    )


def _read(name: str) -> Document:
    document: Document = orjson.loads(files(__package__).joinpath(name).read_bytes())
    return document


def _own(schema: Schema) -> Schema:
    """Return the part of a schema that is not what it extends."""
    part: Schema = schema["allOf"][1] if "allOf" in schema else schema
    return part


def _value_schema(schema: Schema, member: str) -> Schema:
    """Return the schema of a member or, without one, the schema itself, which is an enum."""
    found: Schema = _own(schema)["properties"][member] if member else schema
    return found


def _properties(part: tuple[str, Schema]) -> Schema:
    found: Schema = part[1].get("properties", {})
    return found


def _chain(schemas: Schemas, name: str) -> Iterator[tuple[str, Schema]]:
    """Yield name and own part of a schema and of each that it extends, the nearest first."""
    schema = schemas[name]
    yield name, _own(schema)
    if "allOf" in schema:
        yield from _chain(schemas, schema["allOf"][0]["$ref"].removeprefix(SCHEMAS_PATH))


def _words(chain: Sequence[tuple[str, Schema]]) -> dict[str, str]:
    """Return the words that lead from the last schema of the chain to the first."""
    steps = reversed(list(zip(chain[1:], chain[:-1], strict=True)))
    return {
        extended[DISCRIMINATOR]["propertyName"]: word
        for (_, extended), (name, _) in steps
        for word, schema in extended.get(DISCRIMINATOR, {"mapping": {}})["mapping"].items()
        if schema == SCHEMAS_PATH + name
    }


def _apply(deviation: Deviation, schemas: Schemas) -> None:
    own = _own(schemas[deviation.schema])
    match deviation.change:
        case Change.OPTIONAL:
            for schema in _family(schemas, deviation.schema):
                schema["required"] = [member for member in schema.get("required", ()) if member != deviation.member]
        case Change.LIMITED:
            _value_schema(schemas[deviation.schema], deviation.member).update(as_object(deviation.value))
        case Change.REQUIRED:
            own["required"] = [*own.get("required", ()), deviation.member]
        case Change.DECLARED:
            own["properties"][deviation.member] = deviation.value
        case Change.DEFAULT:
            _value_schema(schemas[deviation.schema], deviation.member)["default"] = deviation.value
        case Change.SPELLING:
            own.setdefault(SPELLINGS, {})[deviation.member] = deviation.value
        case Change.INFERRED:
            own.setdefault(INFERRED, []).append(deviation.member)
        case Change.LEAF:
            own[DISCRIMINATOR]["mapping"][deviation.member] = f"{SCHEMAS_PATH}{deviation.value}"


def _family(schemas: Schemas, name: str) -> Iterator[Schema]:
    """Yield the own part of a schema and of each that extends it."""
    own = _own(schemas[name])
    yield own
    for reference in own.get(DISCRIMINATOR, {}).get("mapping", {}).values():
        yield from _family(schemas, reference.removeprefix(SCHEMAS_PATH))
