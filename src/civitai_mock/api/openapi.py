"""Plain Starlette routes that say themselves what the OpenAPI description has about them.

The routes that are called most are plain, as FastAPI's own layer would cost more than all their work.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from civitai_mock.api.errors import STATUSES, ProblemDetails
from civitai_mock.api.json_body import MEDIA_RANGES
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Schema: TypeAlias = type[object]

SCHEMAS_PATH = "#/components/schemas/"
FILE: JsonObject = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class ListOf:
    """Stands for a JSON array whose items have one schema."""

    item: Schema


@dataclass(frozen=True, slots=True)
class MapOf:
    """Stands for a JSON object with names that the caller chose."""

    value: Schema


class EventStream:
    """Stands for an answer of server-sent events, which may never end."""


Content: TypeAlias = Schema | ListOf | MapOf | None


class Described(Protocol):
    """Says what the OpenAPI document has about a route; one that `is_official` refers to official schemas of v2."""

    @property
    def is_official(self) -> bool: ...

    @property
    def schemas(self) -> Sequence[Schema]:
        """Return the schemas that the document has to hold."""
        ...

    def described(self, path: str) -> Mapping[str, JsonObject]:
        """Return the operation objects of OpenAPI by their paths; `path` is the template of the route."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Describes one method of a path: `responses` has the schema of each status, None where there is no body.

    `media_types` are those of the request, if these are not the ones that JSON, or a file, usually has.
    """

    id: str
    summary: str
    tag: str
    responses: Mapping[int, Content]
    problems: Sequence[int]
    parameters: Sequence[JsonObject] = ()
    body: Sequence[Schema] = ()
    description: str = ""
    takes_file: bool = False
    media_types: Sequence[str] = ()
    is_official: bool = False

    @property
    def schemas(self) -> Sequence[Schema]:
        """Return the schemas that the document has to hold."""
        return [*self.body, *(schema for content in self.responses.values() if (schema := _schema_of(content)))]

    def described(self, path: str) -> Mapping[str, JsonObject]:
        """Return the one operation object of OpenAPI."""
        responses = {str(status): _response(status, schema) for status, schema in self.responses.items()}
        faults: JsonObject = {str(status): described for status, described in problems(*self.problems).items()}
        operation: JsonObject = {"tags": [self.tag], "summary": self.summary, "operationId": self.id}
        if self.description:
            operation["description"] = self.description
        if self.parameters:
            operation["parameters"] = list(self.parameters)
        if self.body:
            operation["requestBody"] = request_body(*self.body, media_types=self.media_types or MEDIA_RANGES)
        if self.takes_file:
            files: JsonObject = {media_type: {"schema": FILE} for media_type in self.media_types or ["*/*"]}
            operation["requestBody"] = {"required": True, "content": files}
        return {path: operation | {"responses": responses | faults}}


class DescribedRoute(Route):
    """Is a route for one method of one path; one that is hot is called most, and answered by `HotRoutes`."""

    def __init__(
        self, path: str, endpoint: Endpoint, *, method: str, operation: Described, is_hot: bool = False
    ) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.method = method.lower()
        self.is_hot = is_hot
        self.operation = operation


def reference(schema: Schema) -> JsonObject:
    return {"$ref": SCHEMAS_PATH + schema.__name__}


def request_body(*schemas: Schema, media_types: Sequence[str] = MEDIA_RANGES) -> JsonObject:
    """Describe a required JSON body in any of its media types."""
    references: list[Json] = [reference(schema) for schema in schemas]
    schema: JsonObject = {"oneOf": references} if len(references) > 1 else reference(schemas[0])
    return {"required": True, "content": {media_type: {"schema": schema} for media_type in media_types}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of an operation; `default` is for those that are not foreseen."""
    titles = {str(status): STATUSES[status].title for status in sorted(statuses)} | {"default": "Any other error"}
    content: JsonObject = {"application/problem+json": {"schema": reference(ProblemDetails)}}
    return {name: {"description": title, "content": content} for name, title in titles.items()}


def path_parameter(name: str) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def text_parameter(name: str, *, required: bool = True) -> JsonObject:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}


def choice_parameter(name: str, words: Sequence[str]) -> JsonObject:
    """Describe an optional word out of a list."""
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string", "enum": list(words)}}


def list_parameter(name: str) -> JsonObject:
    """Describe a parameter that may be repeated."""
    items: JsonObject = {"type": "string", "minLength": 1}
    schema: JsonObject = {"type": "array", "items": items, "minItems": 1}
    return {"name": name, "in": "query", "required": True, "schema": schema}


def count_parameter(name: str, *, default: int, most: int) -> JsonObject:
    schema: JsonObject = {"type": "integer", "format": "int32", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def moment_parameter(name: str) -> JsonObject:
    schema: JsonObject = {"type": "string", "format": "date-time"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def flag_parameter(name: str, *, default: bool = False) -> JsonObject:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "boolean", "default": default}}


def _schema_of(content: Content) -> Schema | None:
    """Return the schema that the content is made of, where that has a name."""
    match content:
        case ListOf(schema) | MapOf(schema):
            return schema
        case None:
            return None
    return None if content in {bytes, EventStream} else content


def _response(status: int, content: Content) -> Json:
    described: JsonObject = {"description": HTTPStatus(status).phrase}
    match content:
        case None:
            return described
        case ListOf(item):
            schema: JsonObject = {"type": "array", "items": reference(item)}
        case MapOf(value):
            schema = {"type": "object", "additionalProperties": reference(value)}
        case _ if content is bytes:
            return described | {"content": {"*/*": {"schema": FILE}}}
        case _ if content is EventStream:
            return described | {"content": {"text/event-stream": {}}}
        case _:
            schema = reference(content)
    return described | {"content": {"application/json": {"schema": schema}}}
