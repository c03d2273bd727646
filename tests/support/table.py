"""Tests of a table: all rows are tried in one test, and each that fails is named."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Signature, signature
from typing import Any, TypeAlias

import pytest

Test: TypeAlias = Callable[..., None]
Ids: TypeAlias = Iterable[object] | Callable[[Any], object]
FAILURES = (Exception, pytest.fail.Exception)


def table(names: str | Sequence[str], rows: Iterable[Any], *, ids: Ids = repr) -> Callable[[Test], Test]:
    """Try a test with each row, as `pytest.mark.parametrize` does, but in one test: each by itself takes 2 ms.

    It is for tests of pure functions, which neither change what other rows find nor use a fixture that does.
    """
    members = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    values = [[row] if len(members) == 1 else list(row) for row in rows]
    assert values, "a table without rows"
    told = ids if callable(ids) else list(ids)

    def failure_in(test: Test, others: Mapping[str, Any], number: int) -> BaseException | None:
        row = values[number]
        try:
            test(**others, **dict(zip(members, row, strict=True)))
        except FAILURES as failure:
            failure.add_note(f"in row {number}: {_name(row, told, number)}")
            return failure
        return None

    def decorate(test: Test) -> Test:
        def try_all(**others: Any) -> None:
            tried = (failure_in(test, others, number) for number in range(len(values)))
            failures = [failure for failure in tried if failure]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(values)} rows failed", failures)

        others = [given for name, given in signature(test).parameters.items() if name not in members]
        for kept in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(try_all, kept, getattr(test, kept))
        vars(try_all)["__signature__"] = Signature(others)
        return try_all

    return decorate


def _name(row: Sequence[Any], ids: Sequence[object] | Callable[[Any], object], number: int) -> object:
    return ", ".join(str(ids(value)) for value in row) if callable(ids) else ids[number]
