"""Match the name of a file with the names in a server's own lists."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.generation.work import FileRole
from civitai_mock.providers.comfyui.graphs.catalogue import Names, base_of, normal, stem_of

TOKENS = re.compile(r"[a-z0-9]+")
HASH = re.compile(r"(?=.*\d)[0-9a-f]{8,64}")
SHORTEST_VERSION_ID = 4
MOST_SUGGESTIONS = 3

Airs: TypeAlias = Mapping[str, Air]


def airs_by_file(resources: Sequence[JobResource]) -> Airs:
    """Graphs name a resource by its file, with or without the suffix."""
    named = {stem_of(resource.file_name): resource.air for resource in resources}
    return named | {normal(resource.file_name): resource.air for resource in resources}


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


def in_role(role: FileRole, names: Names) -> str | None:
    """One of the files that the first fitting pattern fits: any is as good, but the choice is always the same."""
    for pattern in role.patterns:
        found = [name for name in names.all if re.search(pattern, normal(name))]
        if found:
            return min(found, key=lambda name: (len(name), name))
    return None


def nearest(wanted: str, names: Names) -> tuple[str, ...]:
    """For the eye of whoever reads why a job failed."""
    stems = {stem: found[0] for stem, found in names.by_stem.items()}
    close = difflib.get_close_matches(stem_of(wanted), stems, n=MOST_SUGGESTIONS, cutoff=0.4)
    return tuple(stems[stem] for stem in close)


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
