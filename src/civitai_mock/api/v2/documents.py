"""A resource's document: checked where its fields are known, kept as it is where they are not."""

from pydantic import TypeAdapter, ValidationError

from civitai_mock.api.v2.schemas import ResourceDocument, ResourceFields
from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.resource import Resource, is_named
from civitai_mock.generation.wire import fault, from_validation

AIR = "air"
DOCUMENT = TypeAdapter(ResourceDocument)
FIELDS = TypeAdapter(ResourceFields)
KNOWN_FIELDS = ResourceDocument.__required_keys__ | ResourceDocument.__optional_keys__


def parse_document(body: JsonObject, *, expected: Reference | None = None) -> Resource:
    """A known field that is null counts as missing; `expected` is what the path named, in any spelling."""
    given = {name: value for name, value in body.items() if value is not None or name not in KNOWN_FIELDS}
    _check(DOCUMENT, given)
    air = _same_air(given.pop(AIR), expected)
    return Resource(air=air, fields=given)


def parse_changes(body: JsonObject, *, expected: Reference) -> JsonObject:
    """A field that is null is to be taken away."""
    _check(FIELDS, {name: value for name, value in body.items() if value is not None})
    if AIR in body:
        _same_air(body[AIR], expected)
    return {name: value for name, value in body.items() if name != AIR}


def _check(adapter: TypeAdapter[ResourceDocument] | TypeAdapter[ResourceFields], given: JsonObject) -> None:
    try:
        adapter.validate_python(given)
    except ValidationError as error:
        raise from_validation(error, path="") from error


def _same_air(text: Json, expected: Reference | None) -> Air:
    try:
        air = Air.parse(text if isinstance(text, str) else "")
    except InvalidRequestError as error:
        raise fault(AIR, error.message) from error
    if expected is not None and not is_named(expected, air):
        raise fault(AIR, f"A resource cannot become another one; expected '{expected}', found '{air}'.")
    return air
