"""Where two JSON documents differ, as a table that can be compared with the differences that were chosen."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, TypeAlias

FORMS = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"),
    re.compile(r"\d\d:\d\d:\d\d(\.\d{7})?"),
    re.compile(r"[0-9A-F]{64}"),
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    re.compile(r"[0-9a-f]{32}"),
)


class Kind(StrEnum):
    """What two documents can differ in at one path."""

    MISSING = "missing"
    ADDED = "added"
    TYPE = "type"
    ORDER = "order"
    FORM = "form"
    VALUE = "value"


Difference: TypeAlias = tuple[str, Kind]


def differences(real: Any, ours: Any, path: str = "") -> Iterator[Difference]:
    """Every path at which `ours` is not as `real` is; items of arrays are compared one by one."""
    if _json_type(real) != _json_type(ours):
        yield path, Kind.TYPE
    elif isinstance(real, dict):
        yield from _of_members(real, ours, path)
    elif isinstance(real, list):
        yield from _of_items(real, ours, path)
    elif isinstance(real, str) and _form(real) != _form(ours):
        yield path, Kind.FORM
    elif real != ours:
        yield path, Kind.VALUE


def _of_members(real: dict[str, Any], ours: dict[str, Any], path: str) -> Iterator[Difference]:
    common = [name for name in real if name in ours]
    yield from ((_join(path, name), Kind.MISSING) for name in real if name not in ours)
    yield from ((_join(path, name), Kind.ADDED) for name in ours if name not in real)
    if common != [name for name in ours if name in real]:
        yield path, Kind.ORDER
    for name in common:
        yield from differences(real[name], ours[name], _join(path, name))


def _of_items(real: list[Any], ours: list[Any], path: str) -> Iterator[Difference]:
    if len(real) != len(ours):
        yield path, Kind.VALUE
    for one, other in zip(real, ours, strict=False):
        yield from differences(one, other, f"{path}[]")


def _json_type(value: Any) -> str:
    """JSON has one kind of number."""
    return "number" if type(value) in {int, float} else type(value).__name__


def _form(text: str) -> int | None:
    """Which of the known forms (date, duration, hash…) a text has."""
    return next((index for index, form in enumerate(FORMS) if form.fullmatch(text)), None)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
