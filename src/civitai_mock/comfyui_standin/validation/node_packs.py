"""The nodes of node packs, and the files of core nodes, read from a real server's GET /object_info."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from civitai_mock.comfyui_standin.options import ModelNames, NodePackOptions
from civitai_mock.comfyui_standin.validation.definitions import (
    OUTPUT_FOLDERS,
    SECTIONS,
    Definitions,
    NodeDefinition,
    choices_of,
    node_definition,
)
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import JsonObject

UNKNOWN_MODULE = "custom_nodes"
SHAPE = "Send nodes by class type, as GET /object_info answers them."


def read_object_info(path: Path) -> JsonObject:
    """Read an answer of /object_info.

    Raise `InvalidRequestError` if the content is wrong, and `OSError` if the file cannot be read.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InvalidRequestError(f"{path} is not JSON: {error}") from error
    return checked_object_info(document)


def checked_object_info(document: Any) -> JsonObject:
    """Return the document; raise `InvalidRequestError`, which names the node and what is wrong with it."""
    if not isinstance(document, dict):
        raise InvalidRequestError(f"Nodes must be an object. {SHAPE}")
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
            f"input {name} must be a list of a type and its options" for name in entries if not _is_typed(entries[name])
        )


def _is_typed(entry: Any) -> bool:
    has_type = isinstance(entry, list) and len(entry) > 0 and isinstance(entry[0], str | list)
    return has_type and (len(entry) == 1 or isinstance(entry[1], dict))


class InstalledNodes:
    """Holds the core nodes and the added ones, without those that the server was started without."""

    def __init__(self, core: Definitions, packs: NodePackOptions) -> None:
        self._core = core
        self._packs = packs
        self._added: dict[str, NodeDefinition] = {}
        self.all: Definitions = {}
        self.replace({})

    @property
    def added(self) -> JsonObject:
        return {name: dict(node.copied or {}) for name, node in self._added.items()}

    def add(self, document: Mapping[str, Any]) -> None:
        """Add nodes; core nodes stay as they are."""
        new = {name: node for name, node in document.items() if name not in self._core}
        self._added |= {name: _definition(name, node) for name, node in new.items()}
        found = {**self._core, **self._added}
        self.all = {name: node for name, node in found.items() if self._packs.includes(str(node.facts["module"]))}

    def replace(self, document: Mapping[str, Any]) -> None:
        """Have these nodes in place of those that were added before."""
        self._added = {}
        self.add(document)

    def model_names_in(self, document: Mapping[str, Any]) -> ModelNames:
        """Return the model files that a real server's core nodes list, by folder."""
        found: dict[str, list[str]] = {}
        for name in document.keys() & self._core.keys():
            for folder, names in _listed_names(self._core[name], document[name]):
                known = found.setdefault(folder, [])
                known += [each for each in names if each not in known]
        return found


def _definition(name: str, node: Mapping[str, Any]) -> NodeDefinition:
    facts = {**node, "module": node.get("python_module") or UNKNOWN_MODULE, "category": node.get("category", "")}
    return node_definition(name, facts, copied=node)


def _listed_names(definition: NodeDefinition, node: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    given = {name: entry for section in SECTIONS for name, entry in node["input"].get(section, {}).items()}
    for entry in definition.inputs.values():
        if entry.folder is None or entry.folder in OUTPUT_FOLDERS or entry.name not in given:
            continue
        names = [name for name in choices_of(given[entry.name]) if isinstance(name, str) and name not in entry.choices]
        yield entry.folder, names
