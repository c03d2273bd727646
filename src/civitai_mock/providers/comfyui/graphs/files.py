"""Match the files that a graph names with the names in a server's own lists."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json import Json, JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.graphs.catalogue import (
    EMBEDDINGS,
    Catalogue,
    Names,
    base_of,
    folder_of,
    is_weights,
    normal,
    stem_of,
)
from civitai_mock.providers.comfyui.protocol.shapes import as_object, as_text

# As ComfyUI finds them: at the start, or after white space or a bracket; `embedding:x` glued to a comma is only text.
EMBEDDING = re.compile(r"(?<![^\s()])embedding:(?P<name>[^\s():]+)")
TOKENS = re.compile(r"[a-z0-9]+")
HASH = re.compile(r"(?=.*\d)[0-9a-f]{8,64}")
SHORTEST_VERSION_ID = 4
MOST_SUGGESTIONS = 3

Airs: TypeAlias = Mapping[str, Air]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A file that a graph wants and a server has not; `air` is known for a job's own resources."""

    wanted: str
    folder: str
    air: Air | None
    nearest: tuple[str, ...]

    def __str__(self) -> str:
        resource = f" ({self.air})" if self.air else ""
        nearest = f"nearest: {', '.join(self.nearest)}" if self.nearest else "nothing like it there"
        return f"'{self.wanted}'{resource} is not in {self.folder} ({nearest})"

    @property
    def evidence(self) -> JsonObject:
        air = {"air": str(self.air)} if self.air else {}
        return {"file": self.wanted, "folder": self.folder, "nearest": list(self.nearest), **air}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A graph in a server's own names, and what keeps the server from running it."""

    graph: JsonObject
    missing: tuple[Missing, ...] = ()
    unknown_classes: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return not self.missing and not self.unknown_classes


def airs_by_file(resources: Sequence[JobResource]) -> Airs:
    """Graphs name a resource by its file, with or without the suffix."""
    named = {stem_of(resource.file_name): resource.air for resource in resources}
    return named | {normal(resource.file_name): resource.air for resource in resources}


def fit(graph: ReadOnlyJson, catalogue: Catalogue, airs: Airs) -> Fit:
    missing: list[Missing] = []
    fitted = {node_id: _fit_node(as_object(node), catalogue, airs, missing) for node_id, node in graph.items()}
    classes = dict.fromkeys(as_text(node["class_type"]) for node in fitted.values())
    unknown = tuple(name for name in classes if name not in catalogue.choices)
    return Fit(graph=dict(fitted), missing=tuple(dict.fromkeys(missing)), unknown_classes=unknown)


def match(wanted: str, names: Names, air: Air | None = None) -> str | None:
    """The server's name for a file; of several that are equally good, none: a wrong file would show nowhere."""
    if wanted in names.all:
        return wanted
    for found in (
        names.by_path.get(normal(wanted), ()),
        _closest(wanted, names.by_base.get(base_of(wanted), ())),
        _closest(wanted, names.by_stem.get(stem_of(wanted), ())),
        _tagged(_tags(wanted, air), names),
    ):
        if len(found) == 1:
            return found[0]
    return None


def nearest(wanted: str, names: Names) -> tuple[str, ...]:
    """For the eye of whoever reads why a job failed."""
    stems = {stem: found[0] for stem, found in names.by_stem.items()}
    close = difflib.get_close_matches(stem_of(wanted), stems, n=MOST_SUGGESTIONS, cutoff=0.4)
    return tuple(stems[stem] for stem in close)


def _fit_node(node: JsonObject, catalogue: Catalogue, airs: Airs, missing: list[Missing]) -> JsonObject:
    class_type = as_text(node.get("class_type"))
    choices = catalogue.choices.get(class_type, {})
    inputs: dict[str, Json] = {}
    for name, value in as_object(node.get("inputs")).items():
        if not isinstance(value, str):
            inputs[name] = value
        elif name in choices:
            inputs[name] = _fit_file(value, choices[name], folder_of(class_type, name), airs, missing)
        else:
            inputs[name] = _fit_text(value, catalogue.embeddings, airs, missing)
    return {**node, "inputs": inputs}


def _fit_file(wanted: str, names: Names, folder: str, airs: Airs, missing: list[Missing]) -> str:
    """Only model files: for any other list, the server's own complaint is the better one."""
    if wanted in names.all or not (is_weights(wanted) or names.are_weights):
        return wanted
    return _find(wanted, names, folder, airs, missing) or wanted


def _fit_text(text: str, names: Names, airs: Airs, missing: list[Missing]) -> str:
    def replaced(reference: re.Match[str]) -> str:
        wanted = reference["name"].strip(",")
        found = _find(wanted, names, EMBEDDINGS, airs, missing) if wanted else None
        return reference[0].replace(wanted, found.replace("\\", "/"), 1) if found else reference[0]

    return EMBEDDING.sub(replaced, text)


def _find(wanted: str, names: Names, folder: str, airs: Airs, missing: list[Missing]) -> str | None:
    air = airs.get(normal(wanted)) or airs.get(stem_of(wanted))
    found = match(wanted, names, air)
    if found is None:
        missing.append(Missing(wanted=wanted, folder=folder, air=air, nearest=nearest(wanted, names)))
    return found


def _closest(wanted: str, found: Sequence[str]) -> Sequence[str]:
    """Of files with one base name, those that share the most folders with what is wanted."""
    if len(found) < 2:
        return found
    folders = {name: _shared_folders(wanted, name) for name in found}
    most = max(folders.values())
    return [name for name in found if folders[name] == most]


def _shared_folders(one: str, other: str) -> int:
    pairs = zip(reversed(normal(one).split("/")[:-1]), reversed(normal(other).split("/")[:-1]), strict=False)
    shared = 0
    for mine, theirs in pairs:
        if mine != theirs:
            break
        shared += 1
    return shared


def _tags(wanted: str, air: Air | None) -> frozenset[str]:
    """What names a version wherever it stands in a base name: its id, or a hash. Folders may be ids of models."""
    ids = {air.version} if air and air.version else {stem_of(wanted)}
    hashes = {token for token in TOKENS.findall(stem_of(wanted)) if HASH.fullmatch(token)}
    return frozenset({tag for tag in ids if tag.isdigit() and len(tag) >= SHORTEST_VERSION_ID} | hashes)


def _tagged(tags: frozenset[str], names: Names) -> Sequence[str]:
    return [name for name in names.all if tags & set(TOKENS.findall(base_of(name)))] if tags else ()
