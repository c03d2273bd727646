"""The names of files in a server's own lists, and how a wanted name is matched with them."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from civitai_mock.domain.air import WEIGHTS_SUFFIXES
from civitai_mock.domain.job import JobResource
from civitai_mock.generation.work import FileRole

TOKENS = re.compile(r"[a-z0-9]+")
HASH = re.compile(r"[0-9a-f]{8,64}")  # or what it begins with


@dataclass(frozen=True)
class Names:
    """The names of a server's own list, and where each is found by less than its whole name."""

    all: tuple[str, ...]

    @cached_property
    def by_path(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((normal(name), name) for name in self.all)

    @cached_property
    def by_base(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((base_of(name), name) for name in self.all)

    @cached_property
    def by_stem(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((stem_of(name), name) for name in self.all)

    @cached_property
    def by_token(self) -> Mapping[str, tuple[str, ...]]:
        """By the words and numbers in a base name; folders may be ids of models."""
        return _grouped((token, name) for name in self.all for token in {*TOKENS.findall(base_of(name))})

    @cached_property
    def hashes(self) -> Sequence[str]:
        """The tokens that may be hashes."""
        return [token for token in self.by_token if HASH.fullmatch(token)]

    @cached_property
    def are_weights(self) -> bool:
        return any(is_weights(name) for name in self.all)


def normal(name: str) -> str:
    """Windows servers write sub-folders with a backslash; AIRs make paths in lower case."""
    return name.replace("\\", "/").casefold()


def base_of(name: str) -> str:
    return normal(name).rpartition("/")[2]


def stem_of(name: str) -> str:
    """The base name without the suffix of a weights file; embeddings are listed without one."""
    base = base_of(name)
    suffix = next((suffix for suffix in WEIGHTS_SUFFIXES if base.endswith(suffix)), "")
    return base.removesuffix(suffix)


def is_weights(name: str) -> bool:
    return name.casefold().endswith(WEIGHTS_SUFFIXES)


def _grouped(found: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """Names by what they were found by; a list may have a name twice."""
    groups: dict[str, dict[str, None]] = {}
    for key, name in found:
        groups.setdefault(key, {})[name] = None
    return {key: tuple(names) for key, names in groups.items()}


SHORTEST_VERSION_ID = 4
MOST_SUGGESTIONS = 3

Resources: TypeAlias = Mapping[str, JobResource]


def resources_by_file(resources: Sequence[JobResource]) -> Resources:
    """Graphs name a resource by its file, with or without the suffix."""
    named = {stem_of(resource.file_name): resource for resource in resources}
    return named | {normal(resource.file_name): resource for resource in resources}


def match(wanted: str, names: Names, resource: JobResource | None = None) -> str | None:
    """The server's name for a file; of several that are equally good, none: a wrong file would show nowhere.

    What `resource` tells of the file is of use where its name is not there.
    """
    if wanted in names.all:
        return wanted
    return next((found[0] for _, found in _searches(wanted, names, resource) if len(found) == 1), None)


def several(wanted: str, names: Names, resource: JobResource | None = None) -> tuple[str, tuple[str, ...]]:
    """Where nothing matches: those that are equally good by the surest search, and what they were found by.

    That is empty for what a name says. Without any, nothing is like it.
    """
    found = ((by, tuple(some)) for by, some in _searches(wanted, names, resource) if len(some) > 1)
    return next(found, ("", ())) if match(wanted, names, resource) is None else ("", ())


def _searches(wanted: str, names: Names, resource: JobResource | None) -> Iterator[tuple[str, Sequence[str]]]:
    """What each of them goes by and finds, the surest first."""
    for found in _named(wanted, names):
        yield "", found
    if resource is not None:
        for found in _by_path_rule(resource.air.model_path, names):
            yield "version id", found
        for value in resource.hashes:
            yield f"hash '{value}'", _hashed(value, names)
    yield "version id or hash", _each_once(_tags(wanted, resource), names)


def _named(wanted: str, names: Names) -> Iterator[Sequence[str]]:
    yield names.by_path.get(normal(wanted), ())
    yield _closest(wanted, names.by_base.get(base_of(wanted), ()))
    yield _closest(wanted, names.by_stem.get(stem_of(wanted), ()))


def _by_path_rule(path: str, names: Names) -> Iterator[Sequence[str]]:
    """A last part that is no id, like `main`, is nothing without the folder it is in."""
    for found in _named(path, names):
        yield [name for name in found if _is_id(stem_of(path)) or _shared_folders(path, name)]


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


def _hashed(value: str, names: Names) -> Sequence[str]:
    """Those with the hash in their base name, or with what it begins with: few people write it out."""
    return _each_once([token for token in names.hashes if token.startswith(value) or value.startswith(token)], names)


def _tags(wanted: str, resource: JobResource | None) -> frozenset[str]:
    """What names a version wherever it stands in a base name: its id, or what looks like a hash."""
    version = (resource.air.version if resource else None) or wanted
    tag = stem_of(version).partition("+")[0]  # the id of one of its files may follow
    ids = {tag} if _is_id(tag) else set()
    tokens = TOKENS.findall(stem_of(wanted))
    return frozenset({token for token in tokens if HASH.fullmatch(token) and not token.isalpha()} | ids)


def _is_id(text: str) -> bool:
    return text.isdigit() and len(text) >= SHORTEST_VERSION_ID


def _each_once(tokens: Iterable[str], names: Names) -> Sequence[str]:
    return tuple({name: None for token in tokens for name in names.by_token.get(token, ())})
