"""Values of dataclasses as JSON, and back, by the types of their members; what is read is checked.

Members that are as a new value has them are left out. Times are ISO 8601, durations whole microseconds.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, partial
from math import isfinite
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast, get_args, get_origin

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.domain.nearest import unknown_name

T = TypeVar("T")
Hint: TypeAlias = Any  # what stands behind the colon of a member

LARGEST_INTEGER = 2**63 - 1
LONGEST_SHOWN = 60


class TypedJsonError(ValueError):
    """Says at which path a value is not of the type that it should be, and why not."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class Codec(NamedTuple):
    """Writes values of one type as JSON, and reads them; `read` is given the path for its error."""

    write: Callable[[Any], Json]
    read: Callable[[Json, str], Any]


def write_value(value: object) -> JsonObject:
    """Return a dataclass as a JSON object."""
    return cast("JsonObject", _codec_of(type(value)).write(value))


def read_value(kind: type[T], value: Json) -> T:
    """Return the dataclass that a JSON object stands for; raise `TypedJsonError` if it stands for none."""
    found: T = _codec_of(kind).read(value, "")
    return found


def _codec_of(hint: Hint) -> Codec:
    """Return how values of a type are written and read; a type that is a text is `Json`, which knows itself."""
    return Codec(_same, _any) if isinstance(hint, str) else _codec_of_type(hint)


@cache
def _codec_of_type(hint: Hint) -> Codec:
    if hint in SIMPLE:
        return SIMPLE[hint]
    if is_dataclass(hint):
        return _dataclass(cast("type[Any]", hint))
    arguments: tuple[Hint, ...] = get_args(hint)
    origin: Hint = get_origin(hint)
    if origin is types.UnionType:
        (inner,) = [argument for argument in arguments if argument is not types.NoneType]
        return _optional(_codec_of(inner))
    if origin is tuple:
        return _sequence(_codec_of(arguments[0]))
    if origin is None:
        return Codec(lambda value: value.value, partial(_enum, hint))
    return _mapping(_codec_of(arguments[1]))


def _optional(inner: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else inner.write(value),
        lambda value, path: None if value is None else inner.read(value, path),
    )


def _sequence(item: Codec) -> Codec:
    def read(value: Json, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _mismatch(path, "a list", value)
        return tuple([item.read(each, f"{path}[{index}]") for index, each in enumerate(value)])

    return Codec(lambda value: [item.write(each) for each in value], read)


def _mapping(item: Codec) -> Codec:
    def read(value: Json, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _mismatch(path, "an object", value)
        return {name: item.read(each, f"{path}.{name}") for name, each in value.items()}

    return Codec(lambda value: {name: item.write(each) for name, each in value.items()}, read)


def _dataclass(kind: type[Any]) -> Codec:
    members = [(member, _codec_of(member.type)) for member in fields(kind)]
    names = [member.name for member in fields(kind)]
    needed = [member.name for member in fields(kind) if not _has_default(member)]

    def write(value: object) -> JsonObject:
        found = [(member, codec, getattr(value, member.name)) for member, codec in members]
        return {member.name: codec.write(own) for member, codec, own in found if not _is_as_new(member, own)}

    def read(value: Json, path: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(path, "an object", value)
        _check_names(value, names, needed, path)
        given = {
            member.name: codec.read(value[member.name], _within(path, member.name))
            for member, codec in members
            if member.name in value
        }
        return kind(**given)

    return Codec(write, read)


def _check_names(value: JsonObject, names: Sequence[str], needed: Sequence[str], path: str) -> None:
    for name in value:
        if name not in names:
            raise TypedJsonError(_within(path, name), unknown_name("member", name, names))
    for name in needed:
        if name not in value:
            raise TypedJsonError(_within(path, name), "This member is missing.")


def _has_default(member: "Field[Any]") -> bool:
    return member.default is not MISSING or member.default_factory is not MISSING


def _is_as_new(member: "Field[Any]", value: object) -> bool:
    if member.default_factory is not MISSING:
        return bool(value == member.default_factory())
    return member.default is not MISSING and type(value) is type(member.default) and value == member.default


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _same(value: Json) -> Json:
    return value


def _any(value: Json, _: str) -> Json:
    return value


def _text(value: Json, path: str) -> str:
    if not isinstance(value, str):
        raise _mismatch(path, "a text", value)
    return value


def _flag(value: Json, path: str) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(path, "true or false", value)
    return value


def _whole(value: Json, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_INTEGER:
        raise _mismatch(path, "a whole number of 64 bits", value)
    return value


def _number(value: Json, path: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not isfinite(value):
        raise _mismatch(path, "a number", value)
    return value


def _time(value: Json, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, path))
        if moment.tzinfo is None:
            raise _mismatch(path, "a time with its zone", value)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _mismatch(path, "a time in ISO 8601", value) from error


def _duration(value: Json, path: str) -> timedelta:
    return _whole(value, path) * MICROSECOND


def _enum(kind: type[Enum], value: Json, path: str) -> Enum:
    words = {str(member.value): member for member in kind}
    if not isinstance(value, str) or value not in words:
        raise TypedJsonError(path, unknown_name("value", str(value)[:LONGEST_SHOWN], words))
    return words[value]


def _mismatch(path: str, expected: str, value: Json) -> TypedJsonError:
    return TypedJsonError(path, f"Expected {expected}; found {str(value)[:LONGEST_SHOWN]}.")


SIMPLE: Mapping[Hint, Codec] = {
    str: Codec(_same, _text),
    bool: Codec(_same, _flag),
    int: Codec(_same, _whole),
    float: Codec(_same, _number),
    datetime: Codec(lambda moment: moment.isoformat(), _time),
    timedelta: Codec(lambda duration: duration // MICROSECOND, _duration),
}
