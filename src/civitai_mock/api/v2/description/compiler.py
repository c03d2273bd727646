"""Make readers of schemas: each at its first use, and then kept."""

from collections.abc import Mapping
from functools import cache, partial
from math import inf

from civitai_mock.api.v2.description.deviations import AGEING_WORDS, SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import (
    Branch,
    ObjectSchema,
    Schema,
    Schemas,
    object_schema,
    schemas_for,
)
from civitai_mock.api.v2.description.faults import Faults, Place
from civitai_mock.api.v2.description.structures import (
    MISSING,
    BranchReader,
    Member,
    Missing,
    ObjectReader,
    Spelling,
    array_reader,
    map_reader,
    read_any_object,
)
from civitai_mock.api.v2.description.values import (
    Reader,
    any_value,
    constant_reader,
    integer_reader,
    number_reader,
    one_kind_reader,
    one_of_reader,
    pattern_reader,
    read_boolean,
    read_date,
    read_text,
    read_timespan,
    sized_text_reader,
    word_reader,
)
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.references import REF

NULL = "null"
INTEGERS: Mapping[str, tuple[int, int]] = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
DEFAULTS: Mapping[str, Json] = {"array": [], "object": {}}
DEFAULTS_OF_REQUIRED: Mapping[str, Json] = {"boolean": False}
TEXT_FORMATS: Mapping[str, Reader] = {"date-span": read_timespan, "date-time": read_date}


class Compiler:
    """Makes readers of schemas by their names."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._readers: dict[str, Reader] = {}

    def reader(self, name: str) -> Reader:
        """Return the reader of a schema."""
        if name not in self._readers:
            self._readers[name] = self._make(name)
        return self._readers[name]

    def value_reader(self, schema: Schema, *, is_open: bool = False) -> Reader:
        """Return the reader of what a member, an item or a request is; if it `is_open`, its words may be newer."""
        if "$ref" in schema:
            return self._reference(schema["$ref"].removeprefix(SCHEMAS_PATH), is_open=is_open)
        if "oneOf" in schema:
            return one_kind_reader({_kind(each): self.value_reader(each) for each in schema["oneOf"]})
        match _kind(schema):
            case "array":
                return self._array_reader(schema)
            case "object":
                item = schema.get("additionalProperties")
                return map_reader(self.value_reader(item)) if item else read_any_object
            case "string":
                return _text_reader(schema, is_open=is_open)
            case kind:
                return _plain_reader(kind, schema)

    def _array_reader(self, schema: Schema) -> Reader:
        return array_reader(
            self.value_reader(schema["items"]),
            fewest=schema.get("minItems", 0),
            most=schema.get("maxItems", inf),
            is_unique=schema.get("uniqueItems", False),
        )

    def _reference(self, name: str, *, is_open: bool) -> Reader:
        """Return a reader that is made when it is first called, as schemas refer to each other in circles."""
        if "enum" in self._schemas[name]:
            return word_reader(self._schemas[name]["enum"], is_open=is_open)

        def read(value: Json, place: Place, faults: Faults) -> Json:
            return self.reader(name)(value, place, faults)

        return read

    def _make(self, name: str) -> Reader:
        found = object_schema(self._schemas, name)
        if found.branch is not None:
            return self._branch_reader(found, found.branch)
        members = [self._member(found, member) for member in found.members]
        return ObjectReader(members, spellings=found.spellings, may_be_reference=REF not in found.members)

    def _branch_reader(self, found: ObjectSchema, branch: Branch) -> Reader:
        is_open = branch.member in AGEING_WORDS
        default = found.members[branch.member].get("default")
        return BranchReader(
            branch,
            find=self.reader,
            spelling=Spelling(found.members, found.spellings),
            default=default,
            open_reader=self._open_reader(found) if is_open else None,
            infer=partial(self._inferred, branch) if found.is_inferred else None,
        )

    def _open_reader(self, found: ObjectSchema) -> Reader:
        """Return a reader of what is newer: only what all kinds of such an input have is checked."""
        root = object_schema(self._schemas, found.root)
        members = [self._member(root, member) for member in root.members]
        return ObjectReader(members, spellings=found.spellings, is_open=True)

    def _inferred(self, branch: Branch, value: JsonObject) -> str:
        """Return the word of the schema that has most of the members of a value, the first of equals."""
        return max(
            branch.schemas,
            key=lambda word: len(value.keys() & object_schema(self._schemas, branch.schemas[word]).members.keys()),
        )

    def _member(self, found: ObjectSchema, name: str) -> Member:
        if name in found.words:
            word = found.words[name]
            return Member(name=name, read=constant_reader(word), default=word)
        schema = found.members[name]
        is_read_only = schema.get("readOnly", False)
        is_required = name in found.required and not is_read_only
        return Member(
            name=name,
            read=self.value_reader(schema, is_open=name in AGEING_WORDS),
            default=MISSING if is_read_only else self._default(schema, is_required=is_required),
            is_required=is_required,
            is_nullable=_is_nullable(schema),
        )

    def _default(self, schema: Schema, *, is_required: bool) -> "Json | Missing":
        """Return what a member has that was not sent.

        .NET has an empty list or map for one that may not be null, and false for a boolean that has no default.
        """
        described = self._schemas[schema["$ref"].removeprefix(SCHEMAS_PATH)] if "$ref" in schema else schema
        default: Json | Missing = schema.get("default", described.get("default", MISSING))
        if default is MISSING and "$ref" not in schema and not schema.get("minItems"):
            kinds = DEFAULTS_OF_REQUIRED if is_required else DEFAULTS
            default = kinds.get(str(schema.get("type")), MISSING)
        return default


@cache
def requests() -> Compiler:
    """Return the readers of requests; they are made as they are needed."""
    return Compiler(schemas_for(Side.REQUESTS))


def _kind(schema: Schema) -> str | None:
    """Return the kind of JSON that a schema has besides null; None if it takes any."""
    kinds = schema.get("type", NULL)
    others = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != NULL]
    return others[0] if len(others) == 1 else None


def _is_nullable(schema: Schema) -> bool:
    """Return whether null may be sent; the description does not say it where it refers to a schema."""
    kinds = schema.get("type", NULL)
    return kinds == NULL or (isinstance(kinds, list) and NULL in kinds)


def _text_reader(schema: Schema, *, is_open: bool) -> Reader:
    if "enum" in schema:
        return word_reader(schema["enum"], is_open=is_open)
    if schema.get("format") in TEXT_FORMATS:
        return TEXT_FORMATS[schema["format"]]
    rest: Reader = read_text
    if "minLength" in schema or "maxLength" in schema:
        rest = sized_text_reader(schema.get("minLength", 0), schema.get("maxLength", inf))
    return pattern_reader(schema["pattern"], rest) if "pattern" in schema else rest


def _plain_reader(kind: str | None, schema: Schema) -> Reader:
    match kind:
        case "integer" if "enum" in schema:
            return one_of_reader(schema["enum"])
        case "integer":
            low, high = INTEGERS[schema.get("format", "int64")]
            return integer_reader(schema.get("minimum", low), schema.get("maximum", high))
        case "number":
            return number_reader(schema.get("minimum", -inf), schema.get("maximum", inf))
        case "boolean":
            return read_boolean
    return any_value
