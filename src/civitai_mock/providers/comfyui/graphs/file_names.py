"""Match the file that a graph wants with the names in a server's own lists: by path, name, version id or hash."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from civitai_mock.domain.air import WEIGHTS_SUFFIXES
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobResource
from civitai_mock.generation.work import FileRole

TOKENS = re.compile(r"[a-z0-9]+")
HASH = re.compile(r"[0-9a-f]{8,64}")  # or what it begins with
SHORTEST_VERSION_ID = 4
MOST_SUGGESTIONS = 3

Resources: TypeAlias = Mapping[str, JobResource]  # by file name, see `resources_by_file`


@dataclass(frozen=True)
class Names:
    """Indexes a server's own list of names, so that each is found by less than its whole name."""

    all: tuple[str, ...]

    @cached_property
    def by_path(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((normalized(name), name) for name in self.all)

    @cached_property
    def by_base(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((base_name(name), name) for name in self.all)

    @cached_property
    def by_stem(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((stem_of(name), name) for name in self.all)

    @cached_property
    def by_token(self) -> Mapping[str, tuple[str, ...]]:
        """Return names by the words and numbers in their base names; folders do not count, as they may be model ids."""
        return _grouped((token, name) for name in self.all for token in {*TOKENS.findall(base_name(name))})

    @cached_property
    def hashes(self) -> Sequence[str]:
        """Return all tokens that may be hashes."""
        return [token for token in self.by_token if HASH.fullmatch(token)]

    @cached_property
    def are_weights(self) -> bool:
        return any(is_weights(name) for name in self.all)


def normalized(name: str) -> str:
    """Return a path in lower case, as AIRs make them, with slashes; Windows servers list backslashes."""
    return name.replace("\\", "/").casefold()


def base_name(name: str) -> str:
    return normalized(name).rpartition("/")[2]


def stem_of(name: str) -> str:
    """Return the base name without the suffix of a weights file; embeddings are listed without one."""
    base = base_name(name)
    suffix = next((suffix for suffix in WEIGHTS_SUFFIXES if base.endswith(suffix)), "")
    return base.removesuffix(suffix)


def is_weights(name: str) -> bool:
    return name.casefold().endswith(WEIGHTS_SUFFIXES)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """Group names by their keys, each name once: a list may have a name twice."""
    groups: dict[str, dict[str, None]] = {}
    for key, name in pairs:
        groups.setdefault(key, {})[name] = None
    return {key: tuple(names) for key, names in groups.items()}


def resources_by_file(resources: Sequence[JobResource]) -> Resources:
    """Return resources by file name and by stem: graphs name them with or without the suffix."""
    by_stem = {stem_of(resource.file_name): resource for resource in resources}
    return by_stem | {normalized(resource.file_name): resource for resource in resources}


def find_name(wanted: str, names: Names, resource: JobResource | None = None) -> str | None:
    """Return the server's name for a file, or None if several are equally good: a wrong file would go unnoticed.

    Where the name itself is not listed, the version id and hashes of `resource` may find the file.
    """
    if wanted in names.all:
        return wanted
    return next((found[0] for _, found in _matches(wanted, names, resource) if len(found) == 1), None)


def find_ambiguous(wanted: str, names: Names, resource: JobResource | None = None) -> tuple[str, tuple[str, ...]]:
    """Return the names that are equally good, if `find_name` finds none for that reason, and what they match by.

    They match by "" if it is by name; without candidates, nothing is like the file.
    """
    several = ((by, tuple(found)) for by, found in _matches(wanted, names, resource) if len(found) > 1)
    return next(several, ("", ())) if find_name(wanted, names, resource) is None else ("", ())


def _matches(wanted: str, names: Names, resource: JobResource | None) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what each search goes by and the names that it finds, the surest search first."""
    for found in _find_by_name(wanted, names):
        yield "", found
    if resource is not None:
        for found in _find_by_path_rule(resource.air.model_path, names):
            yield "version id", found
        for value in resource.hashes:
            yield f"hash '{value}'", _find_by_hash(value, names)
    yield "version id or hash", _find_by_tokens(_version_tokens(wanted, resource), names)


def _find_by_name(wanted: str, names: Names) -> Iterator[Sequence[str]]:
    yield names.by_path.get(normalized(wanted), ())
    yield _closest(wanted, names.by_base.get(base_name(wanted), ()))
    yield _closest(wanted, names.by_stem.get(stem_of(wanted), ()))


def _find_by_path_rule(path: str, names: Names) -> Iterator[Sequence[str]]:
    """Find the path that AIRs give a file; a last part that is not an id, like `main`, needs its folder beside it."""
    for found in _find_by_name(path, names):
        yield [name for name in found if _is_id(stem_of(path)) or _shared_folders(path, name)]


def find_in_role(role: FileRole, names: Names) -> str | None:
    """Return a file that the role's first matching pattern matches: any will do, but the choice is always the same."""
    for pattern in role.patterns:
        found = [name for name in names.all if re.search(pattern, normalized(name))]
        if found:
            return min(found, key=lambda name: (len(name), name))
    return None


def nearest_names(wanted: str, names: Names) -> tuple[str, ...]:
    """Return names that look like the wanted one, the most similar first, as suggestions for people."""
    stems = {stem: found[0] for stem, found in names.by_stem.items()}
    close = difflib.get_close_matches(stem_of(wanted), stems, n=MOST_SUGGESTIONS, cutoff=0.4)
    return tuple(stems[stem] for stem in close)


def _closest(wanted: str, found: Sequence[str]) -> Sequence[str]:
    """Return those names, all with one base name, that share the most folders with the wanted path."""
    if len(found) < 2:
        return found
    folders = {name: _shared_folders(wanted, name) for name in found}
    most = max(folders.values())
    return [name for name in found if folders[name] == most]


def _shared_folders(one: str, other: str) -> int:
    pairs = zip(reversed(normalized(one).split("/")[:-1]), reversed(normalized(other).split("/")[:-1]), strict=False)
    shared = 0
    for mine, theirs in pairs:
        if mine != theirs:
            break
        shared += 1
    return shared


def _find_by_hash(value: str, names: Names) -> Sequence[str]:
    """Find base names that contain the hash or its beginning: few people write it out."""
    return _find_by_tokens(
        [token for token in names.hashes if token.startswith(value) or value.startswith(token)], names
    )


def _version_tokens(wanted: str, resource: JobResource | None) -> frozenset[str]:
    """Return the tokens that name a version wherever they stand in a base name: its id, or what looks like a hash."""
    version = (resource.air.version if resource else None) or wanted
    version_id = stem_of(version).partition("+")[0]  # the id of one of its files may follow
    ids = {version_id} if _is_id(version_id) else set()
    tokens = TOKENS.findall(stem_of(wanted))
    return frozenset({token for token in tokens if HASH.fullmatch(token) and not token.isalpha()} | ids)


def _is_id(text: str) -> bool:
    return text.isdigit() and len(text) >= SHORTEST_VERSION_ID


def _find_by_tokens(tokens: Iterable[str], names: Names) -> Sequence[str]:
    return tuple({name: None for token in tokens for name in names.by_token.get(token, ())})
