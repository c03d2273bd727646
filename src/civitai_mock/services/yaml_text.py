"""Read YAML as far as it is JSON in another spelling, and know in which line each value stands.

Only what JSON has is there: no anchors, tags, dates or `yes` for true, which surprise those who wrote them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace

import yaml

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml, which is ten times as fast, where it is built in
MOST_BYTES = 256 * 1024
MOST_DEPTH = 64
TOO_DEEP = f"It is nested more than {MOST_DEPTH} levels deep."
NULL, TRUE, FALSE = ("", "~", "null"), ("true", "True"), ("false", "False")
WHOLE = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
OTHER_ESCAPES = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:/|u[0-9a-fA-F]{4})")  # which JSON has, and YAML has not all of


@dataclass(frozen=True, slots=True)
class YamlError(Exception):
    """Says what is wrong in which line, the first being 1."""

    message: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedText:
    """Is what was read, and the line of each value by its path, like `states.first.match`."""

    value: Json
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int:
        """Return the line of what a path names, or of the innermost part of it that is there."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


def parse_yaml(content: bytes) -> LocatedText:
    """Read one document; raise `YamlError` for anything that is wrong with it."""
    text = _decoded(content)
    try:
        return _Reader(yaml.parse(text, Loader=LOADER)).read()
    except yaml.MarkedYAMLError as error:
        mark, last = error.problem_mark or error.context_mark, len(text.splitlines())
        line = 1 if mark is None else min(mark.line + 1, last)
        raise YamlError(_sentence(error.problem or "it is not YAML"), line) from error
    except yaml.YAMLError as error:
        raise YamlError("It is not YAML.", 1) from error


def parse_json(content: bytes) -> LocatedText:
    """Read JSON in the same way; nobody has to write it as YAML would have it."""
    text = _decoded(content)
    try:
        value: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise YamlError(f"{error.msg}.", error.lineno) from error
    except RecursionError as error:
        raise YamlError(TOO_DEEP, 1) from error
    return replace(parse_yaml(OTHER_ESCAPES.sub(r"\1?", text.replace("\t", " ")).encode()), value=value)


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise YamlError(f"It is larger than {MOST_BYTES} bytes.", 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError("It is not UTF-8.", content[: error.start].count(b"\n") + 1) from error


class _Reader:
    """Makes values of the events of a parser, and refuses what JSON cannot say."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._lines: dict[str, int] = {}

    def read(self) -> LocatedText:
        next(self._events)  # the stream begins
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return LocatedText(value=None)
        value = self._value(self._next(), "", depth=0)
        next(self._events)  # the document ends
        if isinstance(after := next(self._events), yaml.DocumentStartEvent):
            raise YamlError("Expected one document; found another one.", after.start_mark.line + 1)
        return LocatedText(value=value, lines=self._lines)

    def _next(self) -> yaml.Event:
        event = next(self._events)
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise YamlError("Anchors and aliases are not taken; write out what you mean.", line)
        if getattr(event, "tag", None) is not None:
            raise YamlError(f"Tags are not taken; found '{event.tag[:100]}'.", line)
        return event

    def _value(self, event: yaml.Event, path: str, *, depth: int) -> Json:
        self._lines.setdefault(path, event.start_mark.line + 1)
        if depth > MOST_DEPTH:
            raise YamlError(TOO_DEEP, event.start_mark.line + 1)
        if isinstance(event, yaml.MappingStartEvent):
            return self._object(path, depth=depth + 1)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Json] = []
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                items.append(self._value(item, f"{path}[{len(items)}]", depth=depth + 1))
            return items
        return _scalar(event.value) if event.implicit[0] else str(event.value)

    def _object(self, path: str, *, depth: int) -> Json:
        members: dict[str, Json] = {}
        while not isinstance(name := self._next(), yaml.MappingEndEvent):
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarEvent):
                raise YamlError("Expected a text as name.", line)
            if name.value in members:
                raise YamlError(f"The name '{name.value[:100]}' is there twice.", line)
            inner = f"{path}.{name.value}" if path else name.value
            self._lines[inner] = line
            members[name.value] = self._value(self._next(), inner, depth=depth)
        return members


def _scalar(text: str) -> Json:
    """Return what a text without quotes means."""
    if text in NULL:
        return None
    if text in TRUE or text in FALSE:
        return text in TRUE
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else text


def _sentence(problem: str) -> str:
    return f"{problem[:1].upper()}{problem[1:]}."
