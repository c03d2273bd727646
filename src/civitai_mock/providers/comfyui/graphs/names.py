"""The names of files in a server's own list, and what each can be found by."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from civitai_mock.domain.air import WEIGHTS_SUFFIXES

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
