"""References in the input of a step, `{"$ref": source, "path": path}`, which stand for a value that comes later.

A source is the name of another step, `$0`, `$1`… by its place, `$arguments`, or inside a `repeat` its loop variable.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol, TypeAlias, TypeGuard

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_text

Path: TypeAlias = tuple[str | int, ...]

ARGUMENTS = "$arguments"
REF, PATH, AS = "$ref", "path", "as"
REPEAT, FOR, TEMPLATE = "repeat", "for", "template"
STEP_TYPE, INPUT = "$type", "input"
NESTED = (dict, list)
OF_JSON_SCHEMA = "#"  # begins a reference within a JSON Schema, which an input may have in it
BY_PLACE = re.compile(r"\$(0|[1-9][0-9]{0,5})", re.ASCII)
PART = re.compile(r"(?:^|(?<=[\s\S])\.)(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]{1,9})\]", re.ASCII)


class EmptyPathError(LookupError):
    """Raised if a path leads to nothing, or to null."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Is a reference and its `place` in the input."""

    source: str
    path: str
    place: Path


class LinkableStep(Protocol):
    """Is what has to be known of a step to find the sources of references; one without a name is named by its place."""

    @property
    def name(self) -> str | None: ...

    @property
    def type(self) -> str: ...

    @property
    def input(self) -> Json: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStep:
    """Implements `LinkableStep`."""

    name: str | None
    type: str
    input: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedStep:
    """Is a step with its name, and the places of the steps that its input refers to."""

    name: str
    sources: tuple[int, ...]


def parse_path(text: str) -> Path:
    """Return the names and indexes of `output.images[0].url`; raise ValueError for anything else."""
    parts: list[str | int] = []
    end = 0
    while end < len(text):
        match = PART.match(text, end)
        if match is None:
            raise ValueError(f"'{text}' is not a path; expected one like output.images[0].url")
        parts.append(match["name"] if match["index"] is None else int(match["index"]))
        end = match.end()
    return tuple(parts)


def print_path(path: Path) -> str:
    """Print `images[0].url`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def value_at_path(document: Json, text: str) -> Json:
    """Return the value at a path; raise `EmptyPathError` if there is none, or if it is null."""
    value = document
    for part in parse_path(text):
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            value = None
    if value is None:
        raise EmptyPathError(f"There is no value at '{text}'.")
    return value


def references_in(step_type: str, step_input: Json) -> Sequence[Reference]:
    """Return all references in the input of a step, but for those to the loop variable of a `repeat` inside it."""
    references: list[Reference] = []
    template = _template_in(step_type, step_input) if step_type == REPEAT else None
    if template is None:
        _add_references(references, step_input, ())
        return references
    for name, value in as_object(step_input).items():
        if name != TEMPLATE:
            _add_references(references, value, (name,))
    inner = references_in(as_text(template.get(STEP_TYPE)), template[INPUT])
    return references + [
        Reference(found.source, found.path, (TEMPLATE, INPUT, *found.place))
        for found in inner
        if found.source != loop_variable(step_input)
    ]


def _template_in(step_type: str, step_input: Json) -> JsonObject | None:
    """Return the template of a `repeat`, if this is one; one without an input has no references."""
    template = as_object(as_object(step_input).get(TEMPLATE)) if step_type == REPEAT else {}
    return template if INPUT in template else None


def loop_variable(repeat_input: Json) -> str | None:
    """Return the name by which the template of a `repeat` refers to the element of its array."""
    return as_text(as_object(as_object(repeat_input).get(FOR)).get(AS)) or None


def _add_references(references: list[Reference], value: Json, place: Path) -> None:
    """Look into lists and objects alone that have something in them, as most members of an input are neither."""
    if is_reference(value):
        references.append(_reference(value, place))
        return
    parts: Iterable[tuple[str | int, Json]] = value.items() if isinstance(value, dict) else enumerate(as_list(value))
    for name, item in parts:
        if item and isinstance(item, NESTED):
            _add_references(references, item, (*place, name))


def is_reference(value: Json) -> TypeGuard[JsonObject]:
    """Return whether a value stands for one that comes later."""
    if not isinstance(value, dict) or REF not in value:
        return False
    source = value[REF]
    return isinstance(source, str) and not source.startswith(OF_JSON_SCHEMA)


def _reference(value: JsonObject, place: Path = ()) -> Reference:
    return Reference(as_text(value[REF]), as_text(value.get(PATH)), place)


def resolved(step_type: str, step_input: Json, values: Mapping[str, Json]) -> Json:
    """Return an input with values in the place of references to these sources; other references stay.

    Raise `EmptyPathError` for a path that leads to nothing.
    """
    template = _template_in(step_type, step_input)
    if template is None:
        return _resolved(step_input, values)
    others = {source: value for source, value in values.items() if source != loop_variable(step_input)}
    inner = resolved(as_text(template.get(STEP_TYPE)), template[INPUT], others)
    return {
        name: {**template, INPUT: inner} if name == TEMPLATE else _resolved(value, values)
        for name, value in as_object(step_input).items()
    }


def _resolved(value: Json, values: Mapping[str, Json]) -> Json:
    if is_reference(value):
        found = _reference(value)
        return value_at_path(values[found.source], found.path) if found.source in values else value
    if isinstance(value, dict):
        return {name: _resolved(item, values) if isinstance(item, NESTED) else item for name, item in value.items()}
    return [_resolved(item, values) for item in value] if isinstance(value, list) else value


def default_name(index: int) -> str:
    """Return the name of a step that was sent without one (capture)."""
    return f"${index}"


def place_of_source(source: str, places: Mapping[str, int]) -> int | None:
    """Return the place of the step that a reference means, by its name or else by its place; None if there is none.

    `places` has the places of all steps by their names.
    """
    if source in places:
        return places[source]
    match = BY_PLACE.fullmatch(source)
    return int(match[1]) if match and int(match[1]) < len(places) else None


def link_steps(steps: Sequence[LinkableStep], arguments: Json) -> Sequence[LinkedStep]:
    """Name the steps, and find what each refers to.

    Raise `InvalidRequestError` with the path of each name that several steps have, each path that cannot be read, each
    unknown source, each path that the arguments do not have, and of a reference that closes a circle.
    """
    names = [step.name if step.name is not None else default_name(index) for index, step in enumerate(steps)]
    places: dict[str, int] = {}
    errors: dict[str, list[str]] = {}
    for index, name in enumerate(names):
        if places.setdefault(name, index) != index:
            message = f"name must be unique; '{name}' is also that of steps[{places[name]}]."
            errors[f"steps[{index}].name"] = [message]
    linked: list[dict[int, str]] = []
    for index, step in enumerate(steps):
        sources: dict[int, str] = {}
        for reference in references_in(step.type, step.input):
            path = f"steps[{index}].{print_path((INPUT, *reference.place))}"
            try:
                source = _source(reference, places, arguments)
            except ValueError as error:
                errors[path] = [str(error)]
            else:
                if source is not None:
                    sources.setdefault(source, path)
        linked.append(sources)
    if errors:
        raise InvalidRequestError("One or more references are invalid.", errors=errors)
    _check_circles(linked)
    return [LinkedStep(name=name, sources=tuple(sources)) for name, sources in zip(names, linked, strict=True)]


def _source(reference: Reference, places: Mapping[str, int], arguments: Json) -> int | None:
    """Return the place of the step that a reference means, or None for the arguments; raise ValueError for a fault."""
    parse_path(reference.path)
    if reference.source == ARGUMENTS:
        try:
            value_at_path(arguments, reference.path)
        except EmptyPathError as error:
            raise ValueError(f"The arguments have no '{reference.path}'.") from error
        return None
    place = place_of_source(reference.source, places)
    if place is None:
        raise ValueError(f"$ref must name a step or $arguments; found '{reference.source}'.")
    return place


def _check_circles(linked: Sequence[Mapping[int, str]]) -> None:
    if not any(linked):
        return
    sorter: TopologicalSorter[int] = TopologicalSorter(dict(enumerate(linked)))
    try:
        sorter.prepare()
    except CycleError as error:
        on, step = error.args[1][:2]
        path = linked[step][on]
        raise InvalidRequestError(
            "A step would wait for itself.", errors={path: [f"steps[{step}] would wait for itself."]}
        ) from error
