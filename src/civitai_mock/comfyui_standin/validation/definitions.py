"""Node definitions as facts, and how GET /object_info spells them.

The data file is /object_info with each list of files replaced by `{"folder": …}`, since those differ between servers;
`also` are names that are always in it, `only` says which files of the folder are.
"""

import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from civitai_mock.domain.json_types import Json, JsonObject

PACKAGE = "civitai_mock.comfyui_standin.validation"
COMBO = "COMBO"
ANYTHING = "*"
# Folders whose files graphs make and clients upload; all others have model files.
OUTPUT_FOLDERS = frozenset({"input", "input subfolders", "input 3d", "output"})

# The names in a folder, at this moment.
Listing: TypeAlias = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDefinition:
    """`type` is a wire type; choices from a list have none. A new-style (COMBO) input is not validated by ComfyUI."""

    name: str
    required: bool
    type: str | None
    choices: tuple[Json, ...] = ()
    folder: str | None = None
    only: tuple[str, ...] = ()  # of the folder: kinds of media, or endings
    extra: Mapping[str, Json]

    @property
    def is_new_style(self) -> bool:
        return self.type == COMBO

    def options(self, listing: Listing) -> list[Json]:
        names = listing(self.folder) if self.folder else ()
        return [*(name for name in names if not self.only or self._is_listed(name)), *self.choices]

    def _is_listed(self, name: str) -> bool:
        """Tell whether a file is listed, by its name; what is not listed may be loaded all the same."""
        media = (mimetypes.guess_type(name, strict=False)[0] or "").partition("/")[0]
        return media in self.only or PurePosixPath(name).suffix in self.only

    def wire(self, listing: Listing) -> tuple[Json, JsonObject]:
        """Type, or list of choices, and what else is known."""
        if self.type is None:
            return self.options(listing), dict(self.extra)
        if self.is_new_style:
            return COMBO, {"options": self.options(listing), **self.extra}
        return self.type, dict(self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDefinition:
    name: str
    inputs: Mapping[str, InputDefinition]
    hidden: Mapping[str, str]
    outputs: tuple[Json, ...]
    facts: Mapping[str, Any]
    told: Mapping[str, Any] | None = None  # as another server's /object_info describes it

    @property
    def is_output(self) -> bool:
        return bool(self.facts.get("output_node", False))

    def wire(self, listing: Listing) -> JsonObject:
        """One entry of /object_info; texts for people (names, descriptions, tooltips) are not imitated."""
        if self.told is not None:
            return dict(self.told)
        sections = {section: self._section(required, listing) for section, required in SECTIONS.items()}
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

    def _section(self, required: bool, listing: Listing) -> JsonObject:
        return {entry.name: list(entry.wire(listing)) for entry in self.inputs.values() if entry.required is required}


SECTIONS = {"required": True, "optional": False}
Definitions: TypeAlias = Mapping[str, NodeDefinition]


@cache
def read_definitions() -> Definitions:
    """By class type, from package data; read once."""
    text = (files(PACKAGE) / "definitions.json").read_text("utf-8")
    return {name: node_of(name, facts) for name, facts in json.loads(text).items()}


def node_of(name: str, facts: Mapping[str, Any], *, told: Mapping[str, Any] | None = None) -> NodeDefinition:
    """`facts` have the members of an entry of /object_info."""
    inputs = {entry.name: entry for entry in _inputs(facts["input"])}
    hidden = facts["input"].get("hidden", {})
    outputs = tuple(facts["output"])
    return NodeDefinition(name=name, inputs=inputs, hidden=hidden, outputs=outputs, facts=facts, told=told)


def choices_of(entry: Sequence[Any]) -> Sequence[Any]:
    """What an input of /object_info can be chosen from, in either spelling; nothing if it is not chosen from a list."""
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
