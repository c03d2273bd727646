"""A value that is made quickly is the one that its dataclass would make."""

from copy import copy
from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Any, cast

import pytest

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.quick_init import quick_init


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Has members with and without defaults."""

    size: int
    name: str = "a"
    parts: list[int] = field(default_factory=list)


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick(Slow):
    """Has members of its own."""

    weight: float = 1.5


def calls_of(kind: Any) -> set[str]:
    """Return the names of what the `__init__` of a class calls or sets."""
    return set(kind.__init__.__code__.co_names)


def test_members_are_given_or_have_their_defaults() -> None:
    assert [getattr(Quick(size=1), member.name) for member in fields(Quick)] == [1, "a", [], 1.5]
    given = Quick(size=1, name="b", parts=[2], weight=3)
    assert (given.size, given.name, given.parts, given.weight) == (1, "b", [2], 3)


def test_each_value_has_a_default_of_its_own() -> None:
    assert Quick(size=1).parts is not Quick(size=1).parts


def test_a_value_is_of_its_class_and_frozen() -> None:
    value = Quick(size=1)
    assert type(value) is Quick
    assert value == Quick(size=1) != Quick(size=2)
    assert copy(value) == value
    assert repr(value).startswith("Quick(size=1, ")
    with pytest.raises(FrozenInstanceError):
        cast("Any", value).size = 2
    with pytest.raises(FrozenInstanceError):
        del cast("Any", value).size


@pytest.mark.parametrize("members", [{}, {"size": 1, "colour": "red"}])
def test_what_is_missing_or_strange_is_refused(members: dict[str, int | str]) -> None:
    kind: Any = Quick
    with pytest.raises(TypeError):
        kind(**members)


@pytest.mark.parametrize("kind", [Quick, Job, JobEvent, Slot])
def test_no_function_is_called_to_set_a_member(kind: type[object]) -> None:
    assert "__setattr__" in calls_of(Slow)
    assert "__setattr__" not in calls_of(kind)


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Has members with the names that an `__init__` might use itself."""

    kind: str
    lend: int = 2
    unfrozen: bool = True


def test_members_may_have_any_name() -> None:
    made = Named(kind="fox")
    assert (made.kind, made.lend, made.unfrozen, type(made)) == ("fox", 2, True, Named)
