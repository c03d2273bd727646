"""Our `dataclass` makes what Python's makes: each test of a class passes with both."""

import dataclasses
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, field, fields, replace
from functools import cached_property
from typing import Any

import pytest

from civitai_mock.domain import dataclass as ours
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job

Decorator = Callable[..., Any]
BOTH = pytest.mark.parametrize("decorator", [dataclasses.dataclass, ours.dataclass], ids=["Python's", "ours"])
SLOTS = pytest.mark.parametrize("slots", [True, False], ids=["slots", "no slots"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Has members with and without defaults."""

    size: int
    name: str = "a"
    parts: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Base):
    """Has members of its own."""

    weight: float = 1.5


def made_by(decorator: Decorator, *, slots: bool, kw_only: bool = True) -> Any:
    """Return a class with members of each sort."""

    @decorator(frozen=True, slots=slots, kw_only=kw_only)
    class Made:
        size: int
        name: str = "a"
        parts: list[int] = field(default_factory=list)
        secret: str = field(default="s", repr=False, compare=False)
        doubled: int = field(default=0, init=False)
        marks: list[int] = field(default_factory=list, init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "doubled", self.size * 2)

    return Made


@BOTH
@SLOTS
def test_members_are_given_or_have_their_defaults(decorator: Decorator, slots: bool) -> None:
    made = made_by(decorator, slots=slots)
    value = made(size=1)
    assert [getattr(value, member.name) for member in fields(made)] == [1, "a", [], "s", 2, []]
    given = made(size=2, name="b", parts=[2], secret="t")
    assert [getattr(given, member.name) for member in fields(made)] == [2, "b", [2], "t", 4, []]
    assert value.parts is not made(size=1).parts
    assert value.marks is not made(size=1).marks
    assert replace(value, name="c").name == "c"


@BOTH
def test_members_may_be_given_by_their_place(decorator: Decorator) -> None:
    made = made_by(decorator, slots=True, kw_only=False)
    assert made(1, "b") == made(size=1, name="b")
    assert made.__match_args__ == ("size", "name", "parts", "secret")


@BOTH
@SLOTS
@pytest.mark.parametrize("members", [{}, {"size": 1, "colour": "red"}, {"size": 1, "doubled": 3}])
def test_what_is_missing_or_strange_is_refused(decorator: Decorator, slots: bool, members: dict[str, Any]) -> None:
    made = made_by(decorator, slots=slots)
    for _ in range(2):  # the first value is made in another way than the next
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            made(**members)


@BOTH
@SLOTS
def test_a_value_is_of_its_class_and_frozen(decorator: Decorator, slots: bool) -> None:
    made = made_by(decorator, slots=slots)
    value = made(size=1)
    assert type(value) is made
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'size'"):
        value.size = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'size'"):
        del value.size
    assert value.size == 1
    assert hasattr(value, "__dict__") is not slots


@BOTH
@SLOTS
def test_values_are_equal_by_their_members_and_class(decorator: Decorator, slots: bool) -> None:
    made, other = made_by(decorator, slots=slots), made_by(decorator, slots=slots)
    assert made(size=1) == made(size=1, secret="t") != made(size=2)
    assert made(size=1) != other(size=1)
    assert made(size=1).__eq__(1) is NotImplemented


@BOTH
def test_a_value_has_the_hash_of_what_it_is_compared_by(decorator: Decorator) -> None:
    class Point:
        x: int
        y: int = 0
        note: str = field(default="", compare=False)

    made: Any = decorator(frozen=True, slots=True)(Point)
    assert {made(1): "first"}[made(1, note="n")] == "first"
    assert len({made(1), made(1), made(2)}) == 2


@BOTH
def test_a_value_without_members_equals_its_like(decorator: Decorator) -> None:
    made: Any = decorator(frozen=True, slots=True)(type("Nothing", (), {}))
    assert made() == made() != 1
    assert hash(made()) == hash(made())
    assert repr(made()) == "Nothing()"


@BOTH
@SLOTS
def test_a_value_is_shown_without_what_is_not_to_be_shown(decorator: Decorator, slots: bool) -> None:
    made = made_by(decorator, slots=slots)
    value = made(size=1)
    assert repr(value) == f"{made.__qualname__}(size=1, name='a', parts=[], doubled=2, marks=[])"
    value.parts.append(value)
    assert "parts=[...]" in repr(value)


@BOTH
@SLOTS
def test_a_value_is_copied(decorator: Decorator, slots: bool) -> None:
    value = made_by(decorator, slots=slots)(size=1, parts=[1], secret="t")
    assert copy(value) == value
    deep = deepcopy(value)
    assert (deep, deep.secret) == (value, "t")
    assert deep.parts is not value.parts


def test_a_value_is_pickled() -> None:
    value = Derived(size=1, parts=[1])
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - what it has just made


@BOTH
def test_methods_of_a_class_stay(decorator: Decorator) -> None:
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return self.name.lower() == getattr(other, "name", "").lower()

        def __hash__(self) -> int:
            return 7

    made: Any = decorator(frozen=True, slots=True)(Own)
    assert (repr(made("a")), hash(made("a"))) == ("own", 7)
    assert made("a") == made("A")


@BOTH
def test_a_class_with_its_own_equality_has_a_hash(decorator: Decorator) -> None:
    class Own:  # noqa: PLW1641 - that the decorator adds
        name: str

        def __eq__(self, other: object) -> bool:
            return True

    made: Any = decorator(frozen=True, slots=True)(Own)
    assert hash(made("a")) == hash(made("a"))
    assert made("a") == made("b")


@BOTH
@SLOTS
def test_a_class_may_have_subclasses_that_are_decorated_or_not(decorator: Decorator, slots: bool) -> None:
    made = made_by(decorator, slots=slots)
    plain: Any = type("Plain", (made,), {})
    members = {"__annotations__": {"weight": float}, "weight": 1.5}
    decorated = decorator(frozen=True, slots=slots, kw_only=True)(type("Decorated", (made,), members))
    for _ in range(2):  # the first value is made in another way than the next
        one, other = plain(size=3), decorated(size=3)
        assert (type(one), one.size, one.doubled) == (plain, 3, 6)
        assert (type(other), other.size, other.weight) == (decorated, 3, 1.5)
        assert made(size=3) != one


@BOTH
def test_a_value_without_slots_keeps_what_is_computed_once(decorator: Decorator) -> None:
    class Lazy:
        size: int

        @cached_property
        def square(self) -> list[int]:
            return [self.size**2]

    made: Any = decorator(frozen=True)(Lazy)
    value = made(3)
    assert value.square is value.square
    assert value == made(3)


@BOTH
@pytest.mark.parametrize("options", [{"slots": True}, {"order": True, "frozen": True, "slots": True}, {"eq": False}])
def test_other_options_are_python_s(decorator: Decorator, options: dict[str, bool]) -> None:
    class Point:
        x: int

    made: Any = decorator(**options)(Point)
    assert (made(1).x, made(1) == made(1)) == (1, options.get("eq", True))
    if options.get("order"):
        assert made(1) < made(2)


@BOTH
def test_a_class_may_be_decorated_without_options(decorator: Decorator) -> None:
    class Point:
        x: int

    made: Any = decorator(Point)
    assert made(1) == made(1)


def test_members_may_have_any_name() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        kind: str
        lend: int = 2
        unfrozen: bool = True

    made = Named(kind="fox")
    assert (made.kind, made.lend, made.unfrozen, type(made)) == ("fox", 2, True, Named)


def test_nothing_is_compiled_for_a_class_until_its_first_value_is_made() -> None:
    names = ("__init__", "__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__")
    one, other = made_by(ours.dataclass, slots=True), made_by(ours.dataclass, slots=True)
    assert [name for name in names if getattr(one, name).__code__ is not getattr(other, name).__code__] == []
    one(size=1)
    compiled = one.__init__
    one(size=2)
    assert one.__init__ is compiled
    assert compiled.__code__ is not other.__init__.__code__


@pytest.mark.parametrize("kind", [Derived, Job, JobEvent, Slot])
def test_no_function_is_called_to_set_a_member(kind: Any) -> None:
    members = {member.name: None for member in fields(kind) if member.init}
    value = kind(**members)
    called = set(kind.__init__.__code__.co_names)
    assert type(value) is kind
    assert members.keys() <= called
    assert "__setattr__" not in called
