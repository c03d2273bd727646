"""The OpenAPI document: what FastAPI knows of its routes, and what plain routes say of themselves."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.routing import BaseRoute

from civitai_mock.api.errors import ProblemDetails
from civitai_mock.api.openapi import SCHEMAS_PATH, DescribedRoute, Schema

# As in the official description; this server asks for no key by default, so it may be missing.
API_KEY = {"type": "apiKey", "name": "Authorization", "in": "header"}
SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}]


def describe_api(
    *, title: str, version: str, routes: Sequence[BaseRoute], extra_schemas: Sequence[Schema]
) -> dict[str, Any]:
    """Describe all routes; `extra_schemas` are those of FastAPI's routes whose bodies are read by hand."""
    document = get_openapi(title=title, version=version, routes=routes)
    described = [route for route in routes if isinstance(route, DescribedRoute)]
    paths: dict[str, dict[str, Any]] = document["paths"]
    for route in described:
        paths.setdefault(route.path_format, {})[route.method] = route.operation.describe()
    schemas = [schema for route in described for schema in route.operation.schemas]
    components = document["components"]["schemas"] | _definitions([ProblemDetails, *schemas, *extra_schemas])
    return document | {
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"ApiKey": API_KEY},
        },
        "security": SECURITY,
    }


def _definitions(schemas: Sequence[Schema]) -> dict[str, Any]:
    """Return each schema under its own name, with all that it refers to."""
    adapters: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (schema.__name__, "validation", TypeAdapter(schema)) for schema in dict.fromkeys(schemas)
    ]
    _, document = TypeAdapter.json_schemas(
        adapters, ref_template=SCHEMAS_PATH + "{model}", schema_generator=WithoutFieldTitles
    )
    definitions: dict[str, Any] = document["$defs"]
    return definitions


class WithoutFieldTitles(GenerateJsonSchema):
    """Leaves out titles like `Expireat` above `expireAt`, which say nothing."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False
