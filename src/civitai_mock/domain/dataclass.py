"""Python's `dataclass`, which makes frozen classes and their values in less time; use it in place of that.

Python compiles six methods for each frozen class when its module is imported. For the 300 that are there at the start
that took 85 of 370 ms of imports. Here `__init__` is compiled when the first value is made, and nothing else is.

Python's `__init__` of a frozen class calls `object.__setattr__` for each member. This one lends the new value a class
that is not frozen, and sets its members by the interpreter's quickest instruction: a job of 28 members takes 1.7 µs
instead of 4.3.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, cast

__all__ = ["dataclass", "unfrozen"]

T = TypeVar("T")
Method: TypeAlias = Callable[..., Any]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(kind=None, /, **options):
        """Decorate a class as `dataclasses.dataclass` does, with the same options."""
        if kind is None:
            return lambda decorated: dataclass(decorated, **options)
        if options.get("frozen") and options.keys() <= {"frozen", "slots", "kw_only"}:
            return _frozen(kind, slots=options.get("slots", False), kw_only=options.get("kw_only", False))
        return dataclasses.dataclass(**options)(kind)


@cache
def unfrozen(kind: type[Any]) -> type[object]:
    """Return a class whose values can become frozen ones of this kind, by their `__class__`, once they are complete."""
    # Without `__delattr__` the interpreter would still look `__setattr__` up each time.
    members = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(kind.__name__, (kind,), members)


def _frozen(kind: type[T], *, slots: bool, kw_only: bool) -> type[T]:
    own = {name for name, value in vars(kind).items() if value is not None}  # `__hash__` is None beside an `__eq__`
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(kind)
    for name, method in _methods(made, slots=slots).items():
        if name not in own:
            setattr(made, name, method)
    return made


def _methods(kind: type[Any], *, slots: bool) -> Mapping[str, Method]:
    """Return what `dataclasses` would compile."""
    compared = [member.name for member in fields(kind) if member.compare]
    shown = [member.name for member in fields(kind) if member.repr]
    values_of = attrgetter(*compared) if compared else type

    def init_first(self: object, *args: object, **kwargs: object) -> None:
        compiled = kind.__init__ = _compiled_init(kind)
        compiled(self, *args, **kwargs)

    def equals(self: object, other: object) -> bool:
        return values_of(self) == values_of(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: object) -> int:
        return hash(values_of(self))

    @recursive_repr()
    def shown_as(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    return {
        "__init__": init_first,
        "__eq__": equals,
        "__hash__": hash_of,
        "__repr__": shown_as,
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        **({"__getstate__": _state_of, "__setstate__": _restore} if slots else {}),
    }


def _refuse_to_set(_: object, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state_of(value: Any) -> Sequence[object]:
    return [getattr(value, member.name) for member in fields(type(value))]


def _restore(value: Any, state: Sequence[object]) -> None:
    for member, its_value in zip(fields(type(value)), state, strict=True):
        object.__setattr__(value, member.name, its_value)


def _compiled_init(kind: Any) -> Method:
    members = fields(kind)
    namespace: dict[str, Any] = {
        **{f"default_{member.name}": _default(member) for member in members},
        "lend_": object.__setattr__,
        "unfrozen_": unfrozen(kind),
        "find_unfrozen_": unfrozen,
        "decorated_": kind,
        "MISSING": MISSING,
    }
    exec("\n".join(_source(kind, members)), namespace)  # noqa: S102 - as `dataclasses` does
    return cast("Method", namespace["__init__"])


def _source(kind: type[Any], members: tuple[Field[Any], ...]) -> Iterator[str]:
    given = [member for member in members if member.init]
    by_place = [_parameter(member) for member in given if not member.kw_only]
    by_name = [_parameter(member) for member in given if member.kw_only]
    yield f"def __init__({', '.join(['self', *by_place, *(['*'] if by_name else []), *by_name])}):"
    yield " kind_ = self.__class__"
    yield " lend_(self, '__class__', unfrozen_ if kind_ is decorated_ else find_unfrozen_(kind_))"
    for member in members:
        if member.init or _default(member) is not MISSING:
            yield f" self.{member.name} = {_value(member)}"
    yield " self.__class__ = kind_"
    if hasattr(kind, "__post_init__"):
        yield " self.__post_init__()"


def _parameter(member: Field[Any]) -> str:
    if member.default_factory is not MISSING:
        return f"{member.name}=MISSING"
    return member.name if member.default is MISSING else f"{member.name}=default_{member.name}"


def _value(member: Field[Any]) -> str:
    name, default = member.name, f"default_{member.name}"
    if member.default_factory is MISSING:
        return name if member.init else default
    return f"{default}() if {name} is MISSING else {name}" if member.init else f"{default}()"


def _default(member: Field[Any]) -> object:
    """Return the default of a member, or what makes it, if it has one."""
    return member.default if member.default_factory is MISSING else member.default_factory
