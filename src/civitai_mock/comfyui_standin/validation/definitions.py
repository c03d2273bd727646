"""Node definitions, and how GET /object_info spells them.

The data file is an answer of /object_info. Each list of files is replaced by `{"folder": …}`, since files differ
between servers: `also` has names that are always listed, `only` says which files of the folder are.
"""

import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

PACKAGE = "civitai_mock.comfyui_standin.validation"
COMBO = "COMBO"
ANYTHING = "*"
SECTIONS = {"required": True, "optional": False}
# Graphs make the files of these folders, and clients upload them; all other folders have model files.
OUTPUT_FOLDERS = frozenset({"input", "input subfolders", "input 3d", "output"})

# Returns the names in a folder, as they are now.
ListFolder: TypeAlias = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDefinition:
    """Describes an input of a node.

    `type` is a wire type; an input that is chosen from a list has none. ComfyUI does not validate the choice of a
    new-style (COMBO) input.
    """

    name: str
    required: bool
    type: str | None
    choices: tuple[Json, ...] = ()
    folder: str | None = None
    only: tuple[str, ...] = ()  # kinds of media, or endings, of the files that are listed
    extra: Mapping[str, Json]

    @property
    def is_new_style(self) -> bool:
        return self.type == COMBO

    def options(self, list_folder: ListFolder) -> list[Json]:
        names = list_folder(self.folder) if self.folder else ()
        return [*(name for name in names if not self.only or self._is_listed(name)), *self.choices]

    def _is_listed(self, name: str) -> bool:
        """Tell by its name whether a file is listed; one that is not may be loaded all the same."""
        media = (mimetypes.guess_type(name, strict=False)[0] or "").partition("/")[0]
        return media in self.only or PurePosixPath(name).suffix in self.only

    def wire(self, list_folder: ListFolder) -> tuple[Json, JsonObject]:
        """Return the type, or the list of choices, and what else is known."""
        if self.type is None:
            return self.options(list_folder), dict(self.extra)
        if self.is_new_style:
            return COMBO, {"options": self.options(list_folder), **self.extra}
        return self.type, dict(self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDefinition:
    """Describes a class of nodes."""

    name: str
    inputs: Mapping[str, InputDefinition]
    hidden: Mapping[str, str]
    outputs: tuple[Json, ...]
    facts: Mapping[str, Any]
    copied: Mapping[str, Any] | None = None  # its entry in another server's /object_info

    @property
    def is_output(self) -> bool:
        return bool(self.facts.get("output_node", False))

    def wire(self, list_folder: ListFolder) -> JsonObject:
        """Return its entry in /object_info; texts for people (names, descriptions, tooltips) are not imitated."""
        if self.copied is not None:
            return dict(self.copied)
        sections = {section: self._section(required, list_folder) for section, required in SECTIONS.items()}
        inputs: JsonObject = {name: section for name, section in sections.items() if section or name == "required"}
        if self.hidden:
            inputs["hidden"] = dict(self.hidden)
        outputs: list[Json] = list(self.outputs)
        flags: JsonObject = {flag: True for flag in ("deprecated", "experimental") if self.facts.get(flag)}
        return {
            "input": inputs,
            "input_order": {name: list(section) for name, section in inputs.items() if isinstance(section, dict)},
            "output": outputs,
            "output_is_list": self.facts.get("output_is_list", [False] * len(outputs)),
            "output_name": self.facts.get("output_name", outputs),
            "name": self.name,
            "display_name": self.name,
            "description": "",
            "python_module": self.facts["module"],
            "category": self.facts["category"],
            "output_node": self.is_output,
            **flags,
        }

    def _section(self, required: bool, list_folder: ListFolder) -> JsonObject:
        return {
            entry.name: list(entry.wire(list_folder)) for entry in self.inputs.values() if entry.required is required
        }


Definitions: TypeAlias = Mapping[str, NodeDefinition]


@cache
def read_definitions() -> Definitions:
    """Return ComfyUI's own nodes by class type, from package data; they are read once."""
    text = (files(PACKAGE) / "definitions.json").read_text("utf-8")
    return {name: node_definition(name, facts) for name, facts in json.loads(text).items()}


def node_definition(name: str, facts: Mapping[str, Any], *, copied: Mapping[str, Any] | None = None) -> NodeDefinition:
    """Return the definition for `facts`, which have the members of an entry of /object_info."""
    inputs = {entry.name: entry for entry in _inputs(facts["input"])}
    hidden = facts["input"].get("hidden", {})
    outputs = tuple(facts["output"])
    return NodeDefinition(name=name, inputs=inputs, hidden=hidden, outputs=outputs, facts=facts, copied=copied)


def choices_of(entry: Sequence[Any]) -> Sequence[Any]:
    """Return the choices of an input of /object_info in either spelling; none if it is not chosen from a list."""
    kind, options = entry[0], entry[1] if len(entry) > 1 else {}
    choices = options.get("options", ()) if kind == COMBO else kind
    return choices if isinstance(choices, list) else ()


def _inputs(sections: Mapping[str, Any]) -> Iterator[InputDefinition]:
    for section, required in SECTIONS.items():
        for name, (kind, *rest) in sections.get(section, {}).items():
            yield _input(name, required, kind, dict(rest[0]) if rest else {})


def _input(name: str, required: bool, kind: Any, extra: dict[str, Any]) -> InputDefinition:
    choices = extra.pop("options", None) if kind == COMBO else kind
    plain = InputDefinition(name=name, required=required, type=kind if isinstance(kind, str) else None, extra=extra)
    match choices:
        case {"folder": folder}:
            also, only = choices.get("also", ()), choices.get("only", ())
            return replace(plain, folder=folder, choices=tuple(also), only=tuple(only))
        case [*options]:
            return replace(plain, choices=tuple(options))
    return plain
