"""Nodes of node packs, and files of core nodes, as GET /object_info of a real server tells of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from civitai_mock.comfyui_standin.options import Models, Packs
from civitai_mock.comfyui_standin.validation.definitions import (
    OUTPUT_FOLDERS,
    SECTIONS,
    Definitions,
    NodeDefinition,
    choices_of,
    node_of,
)
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import JsonObject

UNKNOWN_MODULE = "custom_nodes"
SHAPE = "Send nodes by their class types as GET /object_info answers them."


def read_object_info(path: Path) -> JsonObject:
    """Raise `InvalidRequestError` for what is no such answer, and `OSError` if it cannot be read."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InvalidRequestError(f"{path} is not JSON: {error}") from error
    return checked_object_info(document)


def checked_object_info(document: Any) -> JsonObject:
    """The same; raise `InvalidRequestError` that names the node and what is wrong with it."""
    if not isinstance(document, dict):
        raise InvalidRequestError(f"A list of nodes must be an object. {SHAPE}")
    for name, node in document.items():
        if fault := next(_faults(node), None):
            raise InvalidRequestError(f"Node {name}: {fault}. {SHAPE}")
    return document


def _faults(node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        yield "it must be an object"
        return
    if not isinstance(node.get("output"), list):
        yield "`output` must be a list of types"
    inputs = node.get("input")
    if not isinstance(inputs, dict):
        yield "`input` must be an object"
        return
    for section in SECTIONS:
        entries = inputs.get(section, {})
        if not isinstance(entries, dict):
            yield f"`input.{section}` must be an object"
            return
        yield from (
            f"input {name} must be a list of a type and its options" for name in entries if _is_odd(entries[name])
        )


def _is_odd(entry: Any) -> bool:
    is_typed = isinstance(entry, list) and len(entry) > 0 and isinstance(entry[0], str | list)
    return not is_typed or (len(entry) > 1 and not isinstance(entry[1], dict))


class InstalledNodes:
    """The core nodes and those that were told, less what the server was started without."""

    def __init__(self, core: Definitions, packs: Packs) -> None:
        self._core = core
        self._packs = packs
        self._told: dict[str, NodeDefinition] = {}
        self.all: Definitions = {}
        self.replace({})

    @property
    def told(self) -> JsonObject:
        return {name: dict(node.told or {}) for name, node in self._told.items()}

    def tell(self, document: Mapping[str, Any]) -> None:
        """There are these, too; core nodes stay as they are."""
        strangers = {name: node for name, node in document.items() if name not in self._core}
        self._told |= {name: _told(name, node) for name, node in strangers.items()}
        found = {**self._core, **self._told}
        self.all = {name: node for name, node in found.items() if self._packs.has(str(node.facts["module"]))}

    def replace(self, document: Mapping[str, Any]) -> None:
        """There are these, and none of those that were told before."""
        self._told = {}
        self.tell(document)

    def files_in(self, document: Mapping[str, Any]) -> Models:
        """The model files that a real server's core nodes list, by folder."""
        found: dict[str, list[str]] = {}
        for name in document.keys() & self._core.keys():
            for folder, names in _listed(self._core[name], document[name]):
                known = found.setdefault(folder, [])
                known += [each for each in names if each not in known]
        return found


def _told(name: str, node: Mapping[str, Any]) -> NodeDefinition:
    facts = {**node, "module": node.get("python_module") or UNKNOWN_MODULE, "category": node.get("category", "")}
    return node_of(name, facts, told=node)


def _listed(definition: NodeDefinition, node: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    given = {name: entry for section in SECTIONS for name, entry in node["input"].get(section, {}).items()}
    for entry in definition.inputs.values():
        if entry.folder is None or entry.folder in OUTPUT_FOLDERS or entry.name not in given:
            continue
        names = [name for name in choices_of(given[entry.name]) if isinstance(name, str) and name not in entry.choices]
        yield entry.folder, names
