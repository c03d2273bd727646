"""This server's own description: FastAPI's routes and the plain ones in one document."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.routing import BaseRoute

from civitai_mock.api.described import SCHEMAS_PATH, DescribedRoute, Schema
from civitai_mock.api.errors import ProblemDetails

# As in the official description; this server asks for no key, so it may be missing.
API_KEY = {"type": "apiKey", "name": "Authorization", "in": "header"}
SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}]


def describe_api(
    *, title: str, version: str, routes: Sequence[BaseRoute], extra_schemas: Sequence[Schema]
) -> dict[str, Any]:
    """`extra_schemas` are those of FastAPI's routes; of the bodies that are read by hand FastAPI knows nothing."""
    document = get_openapi(title=title, version=version, routes=routes)
    plain = [route for route in routes if isinstance(route, DescribedRoute)]
    paths: dict[str, dict[str, Any]] = document["paths"]
    for route in plain:
        paths.setdefault(route.path_format, {})[route.method] = route.operation.describe()
    schemas = [schema for route in plain for schema in route.operation.schemas]
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
    """Each schema under its own name, with all that it refers to."""
    adapters: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (schema.__name__, "validation", TypeAdapter(schema)) for schema in dict.fromkeys(schemas)
    ]
    _, document = TypeAdapter.json_schemas(
        adapters, ref_template=SCHEMAS_PATH + "{model}", schema_generator=WithoutFieldTitles
    )
    definitions: dict[str, Any] = document["$defs"]
    return definitions


class WithoutFieldTitles(GenerateJsonSchema):
    """`Expireat` above `expireAt` tells nobody anything."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False
