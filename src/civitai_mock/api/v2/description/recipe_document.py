"""Describe one recipe by itself: its operation, and the schemas that it reaches."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache

import orjson

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH
from civitai_mock.api.v2.description.document import RECIPES_PATH, Document, Schemas, published, recipe_schemas
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject


class DocumentFormat(StrEnum):
    """Is the extension of a document's name."""

    JSON = "json"
    YAML = "yaml"


MEDIA_TYPES = {DocumentFormat.JSON: "application/json", DocumentFormat.YAML: "application/yaml"}


def recipe_document(name: str) -> Document:
    """Return the description of one recipe, without the others; raise `NotFoundError` for an unknown one."""
    if name not in recipe_schemas():
        raise NotFoundError(f"There is no recipe '{name[:100]}'.")
    whole = published()
    paths = {RECIPES_PATH + name: whole["paths"][RECIPES_PATH + name]}
    components = whole["components"]
    return whole | {
        "paths": paths,
        "components": components | {"schemas": _reached(components["schemas"], paths)},
        "tags": [{"name": "Recipes"}],
    }


@cache
def written_recipe_document(name: str, document_format: DocumentFormat) -> bytes:
    """Return the description of one recipe as it is sent; the first time it takes up to a tenth of a second."""
    document = recipe_document(name)
    if document_format is DocumentFormat.JSON:
        return orjson.dumps(document)
    return "\n".join([*_yaml_lines(document, ""), ""]).encode()


def _reached(schemas: Schemas, start: Json) -> Schemas:
    """Return the schemas that are referred to, from `start` or from one another, in their own order."""
    found: set[str] = set()
    todo = list(_references(start))
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _references(schemas[name])
    return {name: schema for name, schema in schemas.items() if name in found}


def _references(value: Json) -> Iterator[str]:
    """Yield the names of the schemas that a part of the description refers to, also those that a word picks."""
    if isinstance(value, str):
        if value.startswith(SCHEMAS_PATH):
            yield value.removeprefix(SCHEMAS_PATH)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)


def _yaml_lines(value: "JsonObject | list[Json]", indent: str) -> Iterator[str]:
    """Yield the lines of an object or array that is not empty; texts are quoted as in JSON, which YAML reads too.

    To write all of it by hand takes a tenth of the time of PyYAML, and does not load it at the start.
    """
    items = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    for name, item in items:
        head = f"{indent}-" if name is None else f"{indent}{orjson.dumps(name).decode()}:"
        if isinstance(item, dict | list) and item:
            yield head
            yield from _yaml_lines(item, indent + "  ")
        else:
            yield f"{head} {orjson.dumps(item).decode()}"
