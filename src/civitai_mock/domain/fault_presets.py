"""Fault presets: what can go wrong, by name, each from a real incident; they are rows of a file beside this module.

A preset is an action that has `{placeholders}` for its params. What is wrong with a row is told when the file is read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeAlias, TypeGuard

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_list, as_number, as_object, as_text

FILE = "fault_presets.json"
NAME, HOOK, FITS, ACTION, PARAMS = "name", "hook", "fits", "action", "params"
EVIDENCE, DOCS, AVAILABLE = "evidence", "docs", "isAvailable"
MEMBERS = (NAME, HOOK, FITS, ACTION, PARAMS, EVIDENCE, DOCS, AVAILABLE)
TYPE, DEFAULT, LEAST, MOST, UNIT = "type", "default", "min", "max", "unit"
PARAM_MEMBERS = (TYPE, DEFAULT, LEAST, MOST, UNIT, DOCS)
V1, V2 = "v1", "v2"
NAME_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LONGEST_TEXT = 1000

ParamValue: TypeAlias = str | int | float | bool


class Hook(StrEnum):
    """Names where a fault takes hold; one rule wins at each."""

    REQUEST = "request"
    JOB = "job"
    BLOB = "blob"
    CALLBACK = "callback"
    STREAM = "stream"


class Target(StrEnum):
    """Names requests that a preset is about, where that is not all of them."""

    STATUS = "status"  # GET of a job by id or token, GET of a workflow
    SUBMIT = "submit"  # POST of jobs or of a workflow
    WHAT_IF = "whatIf"  # the same with `whatif=true`
    WHAT_IF_WITH_IMAGE = "whatIfWithImage"  # and with an image that it names
    PROMPT_WITH_TERM = "promptWithTerm"  # POST with a prompt text that has the param `term` in it
    WITH_TOKEN = "withToken"  # noqa: S105 - what has a token, or what a token is for
    INVALID = "invalid"  # what is a 400, as is known once it was answered
    RESOURCE = "resource"  # GET of a resource of v2


class ParamType(StrEnum):
    """Names what a param of a preset may be."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetParam:
    """Is a param of a preset; numbers alone are bounded, by `least` and `most`."""

    type: ParamType
    default: ParamValue
    least: float = 0
    most: float = 0
    unit: str | None
    docs: str

    @property
    def is_bounded(self) -> bool:
        return self.type in {ParamType.NUMBER, ParamType.INTEGER}

    @property
    def expected(self) -> str:
        """Return what the param takes, in words."""
        if self.is_bounded:
            kind = "whole number" if self.type is ParamType.INTEGER else "number"
            return f"a {kind} from {self.least:g} to {self.most:g}"
        return "true or false" if self.type is ParamType.BOOLEAN else f"a text of 1 to {LONGEST_TEXT} characters"

    def takes(self, value: Json) -> TypeGuard[ParamValue]:
        """Return whether a value is of this type, and in the bounds."""
        if self.type is ParamType.BOOLEAN:
            return isinstance(value, bool)
        if self.type is ParamType.TEXT:
            return 0 < len(as_text(value)) <= LONGEST_TEXT
        number = as_number(value)
        is_whole = self.type is ParamType.NUMBER or isinstance(value, int)
        return number is not None and is_whole and self.least <= number <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPreset:
    """Is one preset: it `fits` everything at its hook if it names no targets.

    The docs say what is seen on the wire of version 1 and 2; None if that is as ever.
    """

    name: str
    hook: Hook
    fits: Sequence[Target]
    action: ReadOnlyJson
    params: Mapping[str, PresetParam]
    evidence: str
    v1_docs: str | None
    v2_docs: str | None
    is_available: bool

    def is_seen_in(self, version: str | None) -> bool:
        """Return whether it changes something in a version of the API; True for what is of no version."""
        docs = {V1: self.v1_docs, V2: self.v2_docs}
        return version not in docs or docs[version] is not None

    def usual_action(self) -> JsonObject:
        """Return the action with the defaults of all params in it."""
        return self.filled_action({})

    def filled_action(self, params: Mapping[str, ParamValue]) -> JsonObject:
        """Return the action with these params in it, and the defaults of the others."""
        values = {name: params.get(name, param.default) for name, param in self.params.items()}
        return {name: _filled(value, values) for name, value in self.action.items()}


@cache
def fault_presets() -> Mapping[str, FaultPreset]:
    """Return all presets by their names, in the order of the file, which is read once."""
    return parse_presets(json.loads((files(__package__) / FILE).read_text("utf-8")))


def parse_presets(rows: Json) -> Mapping[str, FaultPreset]:
    """Read rows; raise `ValueError` that says which one is wrong, and how."""
    presets: dict[str, FaultPreset] = {}
    for row in as_list(rows):
        name = as_text(as_object(row).get(NAME))
        try:
            preset = _parse_row(as_object(row))
        except ValueError as error:
            raise ValueError(f"Fault preset '{name}': {error}") from error
        if name in presets:
            raise ValueError(f"Fault preset '{name}': the name is there twice")
        presets[name] = preset
    return presets


def _parse_row(row: JsonObject) -> FaultPreset:
    _check_members(row, MEMBERS, optional=())
    if not NAME_PATTERN.fullmatch(as_text(row[NAME])):
        raise ValueError("a name has lower-case words with hyphens between them")
    params = {name: _parse_param(name, as_object(value)) for name, value in as_object(row[PARAMS]).items()}
    action = as_object(row[ACTION])
    if not action or set(_placeholders(action)) != params.keys():
        raise ValueError("the action has to use each param, and no other one")
    docs = as_object(row[DOCS])
    _check_members(docs, (V1, V2), optional=())
    if not as_text(row[EVIDENCE]) or not (as_text(docs[V1]) or as_text(docs[V2])):
        raise ValueError("evidence, and docs of v1 or v2, are texts")
    is_available = row[AVAILABLE]
    if not isinstance(is_available, bool):
        raise ValueError(f"{AVAILABLE} is true or false")
    return FaultPreset(
        name=as_text(row[NAME]),
        hook=Hook(as_text(row[HOOK])),
        fits=tuple(Target(as_text(word)) for word in as_list(row[FITS])),
        action=action,
        params=params,
        evidence=as_text(row[EVIDENCE]),
        v1_docs=as_text(docs[V1]) or None,
        v2_docs=as_text(docs[V2]) or None,
        is_available=is_available,
    )


def _parse_param(name: str, document: JsonObject) -> PresetParam:
    _check_members(document, PARAM_MEMBERS, optional=(LEAST, MOST, UNIT))
    default, docs = document[DEFAULT], as_text(document[DOCS])
    least, most = as_number(document.get(LEAST)), as_number(document.get(MOST))
    param = PresetParam(
        type=ParamType(as_text(document[TYPE])),
        default=default if isinstance(default, (str, int, float)) else "",
        least=least or 0,
        most=most or 0,
        unit=as_text(document.get(UNIT)) or None,
        docs=docs,
    )
    if not docs or param.is_bounded != (least is not None and most is not None):
        raise ValueError(f"{name} has to have docs, and {LEAST} and {MOST} if it is a number, and only then")
    if not param.takes(default):
        raise ValueError(f"the default of {name} is not what it takes")
    return param


def _check_members(found: JsonObject, known: Sequence[str], *, optional: Sequence[str]) -> None:
    missing, unknown = set(known) - set(optional) - found.keys(), found.keys() - set(known)
    if missing or unknown:
        raise ValueError(f"members are missing ({sorted(missing)}) or not known ({sorted(unknown)})")


def _placeholders(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _placeholders(member)
    elif isinstance(value, str):
        yield from PLACEHOLDER.findall(value)


def _filled(value: Json, params: Mapping[str, ParamValue]) -> Json:
    """Return a part of an action with params in it; a text that is only a placeholder becomes the value itself."""
    if isinstance(value, dict):
        return {name: _filled(member, params) for name, member in value.items()}
    if not isinstance(value, str):
        return value
    if whole := PLACEHOLDER.fullmatch(value):
        return params[whole[1]]
    return PLACEHOLDER.sub(lambda found: _as_text(params[found[1]]), value)


def _as_text(value: ParamValue) -> str:
    """Return a param as a part of a text, like `5s`: a number has no exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
