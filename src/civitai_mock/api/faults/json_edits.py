"""Edits of the JSON in answers: what contracts change over the years, and JSON that ends too early."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import orjson

from civitai_mock.api.faults.broken_answers import Edit
from civitai_mock.domain.json_types import Json, JsonObject, as_object

UNKNOWN_MEMBERS: JsonObject = {"unknownMember": "No description knows this member.", "otherUnknownMember": 1}
BRACKETS = b"}]"


def with_status(wanted: int, status: int, body: bytes) -> tuple[int, bytes]:
    """Give what went well another status."""
    return wanted if status < HTTPStatus.MULTIPLE_CHOICES else status, body


def cut(status: int, body: bytes) -> tuple[int, bytes]:
    """Cut the JSON before its last bracket, or its last character if it has none."""
    end = max(body.rfind(bracket) for bracket in BRACKETS)
    return status, body[:end]


def with_unknown_members(value: Json) -> Json:
    """Return the same value with members in each object that no description knows."""
    if isinstance(value, dict):
        return {**{name: with_unknown_members(member) for name, member in value.items()}, **UNKNOWN_MEMBERS}
    return [with_unknown_members(item) for item in value] if isinstance(value, list) else value


def with_insufficient_buzz(value: Json) -> Json:
    """Return a planned workflow that the balance does not cover; what has no transactions stays as it is."""
    workflow = as_object(value)
    transactions = workflow.get("transactions")
    if not isinstance(transactions, dict):
        return value
    return {**workflow, "transactions": {**transactions, "insufficientBuzz": True}}


def in_early_access(value: Json) -> Json:
    """Return a resource that nobody can generate with."""
    return {**value, "canGenerate": False} if isinstance(value, dict) and "canGenerate" in value else value


def edited(change: Callable[[Json], Json]) -> Edit:
    """Return the edit that changes the decoded value."""
    return partial(_edit_value, change)


def _edit_value(change: Callable[[Json], Json], status: int, body: bytes) -> tuple[int, bytes]:
    return status, orjson.dumps(change(orjson.loads(body))) if body else body
