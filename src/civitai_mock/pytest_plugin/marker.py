"""The marker `civitai_mock`: what a test wants its namespace to be like."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pytest

from civitai_mock.domain.dataclass import dataclass

MARKER = "civitai_mock"
USAGE = f"{MARKER}(progress=, faults=, balance=, seed=, strict=)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MockOptions:
    """Says what is special in the namespace of a test.

    `faults` are names of presets, or whole rules. With `strict` a test fails if one of its rules never fired.
    """

    progress: str | Mapping[str, Any] | None = None
    faults: Sequence[str | Mapping[str, Any]] = ()
    balance: float | Mapping[str, float] | None = None
    seed: int | None = None
    strict: bool = False


NAMES = tuple(field.name for field in fields(MockOptions))


def read_markers(item: pytest.Item) -> MockOptions:
    """Return what the markers of a test say, the nearest first; fail the test for a marker that says it wrong."""
    __tracebackhide__ = True
    found: dict[str, Any] = {}
    for marker in item.iter_markers(MARKER):
        _check(marker)
        found = {**marker.kwargs, **found}
    return MockOptions(**found)


def _check(marker: pytest.Mark) -> None:
    __tracebackhide__ = True
    if marker.args:
        _fail(f"takes no argument without a name; found {marker.args[0]!r}")
    for name in marker.kwargs:
        if name not in NAMES:
            from civitai_mock.domain.nearest import unknown_name

            _fail(unknown_name("argument", name, NAMES))
    faults = marker.kwargs.get("faults", ())
    if not isinstance(faults, list | tuple) or not all(isinstance(fault, str | Mapping) for fault in faults):
        _fail(f"faults has to be a list of presets and rules; found {faults!r}")
    if not isinstance(strict := marker.kwargs.get("strict", False), bool):
        _fail(f"strict has to be True or False; found {strict!r}")


def _fail(message: str) -> None:
    __tracebackhide__ = True
    pytest.fail(f"{USAGE}: {message}", pytrace=False)
