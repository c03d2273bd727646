"""Describe routes of v2 in the OpenAPI document as the official description does; loaded when somebody asks for it."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

from civitai_mock.api.openapi import problems as described_problems
from civitai_mock.api.v2.description.deviations import DEVIATIONS, Side
from civitai_mock.api.v2.description.document import (
    RECIPES_PATH,
    Schemas,
    deviating_schemas,
    published,
    recipe_schemas,
)
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text

OperationsByPath: TypeAlias = Mapping[str, JsonObject]

CLOSED = "additionalProperties"
OURS = "x-"  # begins the names of members that only our readers of requests know
NAMED_GROUP = re.compile(r"\(\?<\w+>")  # few programs besides .NET and browsers know these


def official_operation(operation_id: str, *, summary: str, problems: Sequence[int]) -> OperationsByPath:
    """Return the operation under the path that the official description has for it, whose parameters it names."""
    found = _official_operations()[operation_id]
    return {found.path: _with_problems(found.operation, summary, problems)}


def recipe_operations(*, summary: str, problems: Sequence[int]) -> OperationsByPath:
    """Return an operation for each recipe; `summary` is completed by its name."""
    return {
        found.path: _with_problems(found.operation, f"{summary} {found.path.removeprefix(RECIPES_PATH)}", problems)
        for found in _official_operations().values()
        if found.path.startswith(RECIPES_PATH)
    }


def recipe_document_operation(path: str, *, media_type: str, problems: Sequence[int]) -> OperationsByPath:
    """Return one operation for the descriptions of all recipes, which the official description does not mention."""
    suffix = path.rpartition(".")[2]
    names: list[Json] = list(recipe_schemas())
    schema: JsonObject = {"type": "string", "enum": names}
    operation: JsonObject = {
        "tags": ["Recipes"],
        "operationId": f"GetRecipeDocumentAs{suffix.capitalize()}",
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": schema}],
        "responses": {"200": {"content": {media_type: {"schema": {}}}}},
    }
    return {path: _with_problems(operation, f"Get the description of one recipe as {suffix}", problems)}


class _Found(NamedTuple):
    path: str
    operation: JsonObject


@cache
def _official_operations() -> Mapping[str, _Found]:
    """Return all operations by their ids; they are read when somebody asks for the document."""
    return {
        as_text(operation["operationId"]): _Found(path, operation)
        for path, operations in published()["paths"].items()
        for operation in operations.values()
    }


def official_schemas() -> Schemas:
    """Return all schemas of v2 as requests and answers really are.

    Objects are open: where a schema extends one that takes no more members than its own, nothing would fit both.
    """
    return {name: as_object(_opened(schema)) for name, schema in deviating_schemas(Side.BOTH, DEVIATIONS).items()}


def _opened(schema: Json) -> Json:
    if isinstance(schema, dict):
        return {
            name: NAMED_GROUP.sub("(?:", value) if name == "pattern" and isinstance(value, str) else _opened(value)
            for name, value in schema.items()
            if not (name == CLOSED and value is False) and not name.startswith(OURS)
        }
    return [_opened(item) for item in schema] if isinstance(schema, list) else schema


def _with_problems(operation: JsonObject, summary: str, statuses: Sequence[int]) -> JsonObject:
    """Return an operation with our problems in the place of its own; a bare text is no problem, and stays."""
    responses: JsonObject = {
        status: {"description": HTTPStatus(int(status)).phrase, **as_object(response)}
        for status, response in as_object(operation["responses"]).items()
        if status.isdecimal() and not _is_problem(response)
    }
    responses |= {str(status): described for status, described in described_problems(*statuses).items()}
    return {**operation, "summary": summary, "responses": responses}


def _is_problem(response: Json) -> bool:
    return "ProblemDetails" in str(response)
