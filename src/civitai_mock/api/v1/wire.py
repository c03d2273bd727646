"""Types of the members of v1's JSON."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from civitai_mock.api.v1.member_texts import text_below
from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.blob import KEY_PATTERN
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.sampling import SAMPLINGS, scheduler_name
from civitai_mock.domain.search import count_values
from civitai_mock.domain.urls import MAX_URL_LENGTH, image_url

TYPE = "$type"
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
MAX_PROMPT_LENGTH = 20_000
MAX_NAME_LENGTH = 100
MAX_VALUES = 1000
URI_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.ASCII | re.IGNORECASE)


class RequestModel(BaseModel):
    """Is read from requests, in any case; unknown members are ignored, as the real service does."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel),
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        serialize_by_alias=True,
        # Building all models takes a twelfth of the start: each is built at its first use, or soon after the start.
        defer_build=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe each member by the text below it.

        pydantic's `use_attribute_docstrings` reads the source when a class is defined, a tenth of the start.
        """
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for member, field in cls.model_fields.items():
            if text := text_below(member, cls):
                properties[next(_wire_names(field))]["description"] = text
        return schema

    @model_validator(mode="before")
    @classmethod
    def _in_our_case(cls, value: object) -> object:
        """Read members in any case; of two spellings of one member the official one counts."""
        names = _names_of(cls)
        if not isinstance(value, dict) or value.keys() <= names.all:
            return value
        others = {names.by_lower_case.get(str(name).lower(), name): member for name, member in value.items()}
        return others | {name: member for name, member in value.items() if name in names.all}


def wire_models(model: type[RequestModel] = RequestModel) -> Iterator[type[RequestModel]]:
    """Yield all models that were imported so far, each after those that it extends."""
    for extended in model.__subclasses__():
        yield extended
        yield from wire_models(extended)


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberNames:
    """Holds the names of a model's members: in JSON and Python, and those of JSON by their lower case.

    `$type` is among `all`, though no member: as a strange name it would have every template rewritten.
    """

    all: frozenset[str]
    by_lower_case: Mapping[str, str]


@cache
def _names_of(model: type[BaseModel]) -> _MemberNames:
    wire = [name for field in model.model_fields.values() for name in _wire_names(field)]
    return _MemberNames(
        all=frozenset([*wire, *model.model_fields, TYPE]), by_lower_case={name.lower(): name for name in wire}
    )


def _wire_names(field: FieldInfo) -> Iterator[str]:
    """Yield the alias, or all names that may be read in its place."""
    alias = field.validation_alias or field.alias
    for name in alias.choices if isinstance(alias, AliasChoices) else [alias]:
        if isinstance(name, str):
            yield name


def names_in_json(model: type[BaseModel]) -> Sequence[str]:
    """Return the names that the members of a model may have in JSON, in their official case."""
    return list(_names_of(model).by_lower_case.values())


def _without_nul(text: str) -> str:
    """Refuse NUL characters in a prompt: they would end the text early in the metadata of the image."""
    if "\0" in text:
        raise ValueError("NUL characters are not allowed.")
    return text


def _reference(text: str) -> str:
    try:
        parse_reference(text)
    except InvalidRequestError as error:
        raise ValueError(error.message) from error
    return text


def _uri(text: str) -> str:
    if not URI_PATTERN.fullmatch(text):
        raise ValueError("expected an absolute URL like https://example.com/image.png")
    return text


def _blob_key(text: str) -> str:
    if not KEY_PATTERN.fullmatch(text):
        raise ValueError("expected the key of a blob: up to 128 letters, digits, -, _ and .")
    return text


def _scheduler(text: str) -> str:
    name = scheduler_name(text)
    if name is None:
        raise ValueError(f"'{text}' is not a scheduler; use one of {', '.join(SAMPLINGS)}.")
    return name


def _few_values(properties: dict[str, Any]) -> dict[str, Any]:
    """Limit the number of values, as jobs are looked for by each of them."""
    if count_values(properties, most=MAX_VALUES) > MAX_VALUES:
        raise ValueError(f"Expected at most {MAX_VALUES} values, in all objects and lists together; found more.")
    return properties


def in_any_case(words: Iterable[str]) -> BeforeValidator:
    """Return a validator that turns a word in any case into its official spelling, which `words` have."""
    official = {word.lower(): word for word in words}

    def spell(value: object) -> object:
        return official.get(value.lower(), value) if isinstance(value, str) else value

    return BeforeValidator(spell)


Int32 = Annotated[int, Field(strict=True, ge=INT32_MIN, le=INT32_MAX)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(strict=True, max_length=MAX_NAME_LENGTH)]
Text = Annotated[str, Field(strict=True)]
# One fault says enough about a list that may be as long as a body.
Texts = Annotated[list[Text], Field(fail_fast=True)]
# Values that were decoded from JSON are not validated again.
JsonValue: TypeAlias = Any
JsonMembers = dict[str, JsonValue]
Properties = Annotated[JsonMembers, AfterValidator(_few_values)]
PromptText = Annotated[str, Field(strict=True, max_length=MAX_PROMPT_LENGTH), AfterValidator(_without_nul)]
Uri = Annotated[str, Field(strict=True, json_schema_extra={"format": "uri"}), AfterValidator(_uri)]
ImageUrl = Annotated[
    str,
    Field(strict=True, json_schema_extra={"format": "uri", "maxLength": MAX_URL_LENGTH}),
    AfterValidator(image_url),
]
BlobKey = Annotated[str, Field(strict=True), AfterValidator(_blob_key)]
# A reference is an AIR in either form, kept as it was sent.
Reference = Annotated[str, Field(strict=True), AfterValidator(_reference)]
# A scheduler name is in any case on the wire, and in the official spelling here.
SchedulerName = Annotated[Name, Field(json_schema_extra={"enum": list(SAMPLINGS)}), AfterValidator(_scheduler)]
