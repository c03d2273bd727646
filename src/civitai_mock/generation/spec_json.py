"""Store specs as JSON and read them again: members in camelCase, without those that are None.

The classes of specs say how, by the names and types of their members. A number that is whole has no point.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, get_args, get_origin

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_timespan, parse_timespan, plain_number
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.sampling import NAMES_OF_SAMPLINGS, SAMPLINGS, Sampling

T = TypeVar("T")
Convert: TypeAlias = Callable[[Any], Any]

# A member of a class: its name there and in JSON, and what writes and reads its values, if they are not the same in
# JSON. One without a name in JSON has all members that are not those of the class.
Member: TypeAlias = tuple[str, str, Convert | None, Convert | None]

JSON_NAME = "json_name"
OTHER_MEMBERS: Mapping[str, str] = {JSON_NAME: ""}  # metadata of a field that has all members which are no fields


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converter:
    """Writes and reads the values of one type; without a function they are the same in JSON."""

    write: Convert | None = None
    read: Convert | None = None


def stored_as(json_name: str) -> Mapping[str, str]:
    """Return the metadata of a field that has another name in JSON."""
    return {JSON_NAME: json_name}


def to_json(spec: object) -> JsonObject:
    kind = type(spec)
    members: JsonObject = (WRITERS.get(kind) or _compile_writer(kind))(spec)
    return members


def from_json(kind: type[T], stored: ReadOnlyJson) -> T:
    """Read what `to_json` has written, also that of an earlier version: what is missing has its default.

    Raise `TypeError` if a member without a default is missing.
    """
    values: dict[str, Any] = {}
    for name, json_name, _, read in _members(kind):
        value = stored.get(json_name)
        if not json_name:
            known = {member[1] for member in _members(kind)}
            values[name] = {other: value for other, value in stored.items() if other not in known}
        elif value is not None:
            values[name] = value if read is None else read(value)
    return kind(**values)


def _members(kind: type[Any]) -> Sequence[Member]:
    return MEMBERS.get(kind) or _learn(kind)


def _compile_writer(kind: type[Any]) -> Convert:
    """Compile what writes values of a class, a statement for each member: a loop takes twice as long."""
    source = ["def write(spec):", " members = {}"]
    namespace: dict[str, Convert] = {}
    for name, json_name, write, _ in _members(kind):
        source.append(f" value = spec.{name}")
        if not json_name:
            source.append(" members |= value")
        elif write is None:
            source.append(f" if value is not None: members['{json_name}'] = value")
        else:
            namespace[f"write_{name}"] = write
            source.append(f" if value is not None: members['{json_name}'] = write_{name}(value)")
    exec("\n".join([*source, " return members"]), namespace)  # noqa: S102 - as `dataclass` makes methods
    WRITERS[kind] = writer = namespace["write"]
    return writer


def _learn(kind: type[Any]) -> Sequence[Member]:
    MEMBERS[kind] = [_member(item, _converter(item.type)) for item in fields(kind)]
    return MEMBERS[kind]


def _member(item: Field[Any], converter: _Converter) -> Member:
    return item.name, item.metadata.get(JSON_NAME, _camel_case(item.name)), converter.write, converter.read


def _camel_case(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _converter(hint: Any) -> _Converter:
    """Return what converts the values of a type; None is never converted."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if get_origin(hint) is UnionType:
        (kind,) = kinds
        return _converter(kind)
    if hint in CONVERTERS:
        return CONVERTERS[hint]
    if isinstance(hint, type):
        return _of_class(hint)
    if get_origin(hint) is tuple:
        item = _converter(kinds[0])
        return _Converter(write=partial(_list_of, item.write or _same), read=partial(_tuple_of, item.read or _same))
    if get_origin(hint) is Mapping:
        value = _converter(kinds[-1])
        return _Converter(write=partial(_each, value.write or _same), read=partial(_each, value.read or _same))
    return _Converter()


def _of_class(hint: type[Any]) -> _Converter:
    if is_dataclass(hint):
        return _Converter(write=to_json, read=partial(from_json, hint))
    return _Converter(read=hint) if issubclass(hint, StrEnum) else _Converter()


def _same(value: T) -> T:
    return value


def _list_of(write: Convert, items: Sequence[Any]) -> list[Json]:
    return [write(item) for item in items]


def _tuple_of(read: Convert, items: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(read(item) for item in items)


def _each(convert: Convert, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: convert(value) for name, value in values.items()}


def _write_sampling(sampling: Sampling) -> Json:
    """Write the public name of a pair that has one."""
    name = NAMES_OF_SAMPLINGS.get(sampling)
    return {"sampler": sampling.sampler, "noiseSchedule": sampling.noise_schedule} if name is None else name


def _read_sampling(value: str | JsonObject) -> Sampling:
    if isinstance(value, str):
        return SAMPLINGS[value]
    return Sampling(str(value["sampler"]), str(value["noiseSchedule"]))


CONVERTERS: Mapping[Any, _Converter] = {
    float: _Converter(write=plain_number),
    timedelta: _Converter(write=format_timespan, read=parse_timespan),
    Sampling: _Converter(write=_write_sampling, read=_read_sampling),
}
MEMBERS: dict[type[Any], Sequence[Member]] = {}
WRITERS: dict[type[Any], Convert] = {}
