"""Roles that are only loaded when something is asked of them."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


class _Late:
    """Has the members of what `load` returns, and calls it when one is asked for first."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = cache(load)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._load(), name)
        self.__dict__[name] = member
        return member


def late(load: Callable[[], T]) -> T:
    """Return what does all that the result of `load` does, which is called at first use, once."""
    return cast("T", _Late(load))
