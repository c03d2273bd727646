"""The OpenAPI document: what FastAPI knows of its routes, and what plain routes say of themselves."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.routing import BaseRoute

from civitai_mock.api.errors import ProblemDetails
from civitai_mock.api.openapi import SCHEMAS_PATH, DescribedRoute, Schema

# As in the official description; this server asks for no key by default, so it may be missing.
API_KEY = {"type": "apiKey", "name": "Authorization", "in": "header"}
SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}]
# v1 and v2 have schemas of one name. Those of v2 keep it, but for two of ours that say more than theirs.
PREFIX = "V1"
SHARED = frozenset({"ProblemDetails", "ResourceInfo"})
SAME = frozenset({"Blob", "ConsumerBlobPresignResponse"})  # which are v2's

Paths: TypeAlias = dict[str, dict[str, Any]]


def describe_api(
    *,
    title: str,
    version: str,
    routes: Sequence[BaseRoute],
    extra_schemas: Sequence[Schema],
    official_schemas: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe all routes; `extra_schemas` are those of FastAPI's routes whose bodies are read by hand.

    `official_schemas` keep their names.
    """
    document = get_openapi(title=title, version=version, routes=routes)
    described = [route for route in routes if isinstance(route, DescribedRoute)]
    own_schemas = [schema for route in described for schema in route.operation.schemas]
    own = {
        "paths": _joined(document["paths"], _paths([route for route in described if not route.operation.is_official])),
        "schemas": document["components"]["schemas"] | _definitions([ProblemDetails, *own_schemas, *extra_schemas]),
    }
    own = _renamed(own, official_schemas.keys() & own["schemas"].keys() - SHARED)
    paths = _joined(own["paths"], _paths([route for route in described if route.operation.is_official]))
    return document | {
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(({**official_schemas, **own["schemas"]}).items())),
            "securitySchemes": {"ApiKey": API_KEY},
        },
        "security": SECURITY,
    }


def _paths(routes: Sequence[DescribedRoute]) -> Paths:
    paths: Paths = {}
    for route in routes:
        for path, operation in route.operation.described(route.path_format).items():
            paths.setdefault(path, {})[route.method] = operation
    return paths


def _joined(paths: Paths, others: Paths) -> Paths:
    """Return all paths with all their methods."""
    return {path: paths.get(path, {}) | others.get(path, {}) for path in paths.keys() | others.keys()}


def _renamed(part: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a part of the document whose schemas of these names have others, as v2 has official ones of their names.

    What an official schema describes as well is left to it.
    """
    text = json.dumps(part)
    for name in set(names) - SAME:
        text = text.replace(f'"{SCHEMAS_PATH}{name}"', f'"{SCHEMAS_PATH}{PREFIX}{name}"')
    renamed: dict[str, Any] = json.loads(text)
    schemas = {
        PREFIX + name if name in names else name: schema
        for name, schema in renamed["schemas"].items()
        if name not in SAME or name not in names
    }
    return renamed | {"schemas": schemas}


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
