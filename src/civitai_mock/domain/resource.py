"""Resources, and which of several resources an AIR names, however it is spelled."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_texts

# The official ResourceInfo requires these; what a caller leaves out gets these values.
REQUIRED_FIELDS: ReadOnlyJson = {
    "size": 0,
    "hashes": {},
    "downloadUrls": [],
    "checkPermission": False,
    "canGenerate": True,
    "fileFormat": "safeTensor",
    "hasMatureContentRestriction": False,
    "hasNSFWContentRestriction": False,
}
# A CRC32 is left out: it is short, and nobody has it in the names of files.
HASH_KINDS = frozenset({"sha256", "blake3", "autov1", "autov2", "autov3"})
HASH_PATTERN = re.compile(r"[0-9a-f]{8,64}")
NAME_FIELDS = ("modelName", "resourceName", "versionName")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Is a document of the resource store; `fields` has it as its owner wrote it, without `air`."""

    air: Air
    fields: ReadOnlyJson

    @property
    def info(self) -> JsonObject:
        """Return the official ResourceInfo, with every other field kept."""
        missing = {name: value for name, value in REQUIRED_FIELDS.items() if name not in self.fields}
        return {"air": str(self.air), **self.fields, **missing}

    @property
    def file_name(self) -> str | None:
        """Return `fileName`, which overrides the path rule of AIRs."""
        value = self.fields.get("fileName")
        return value if isinstance(value, str) and value else None

    @cached_property
    def trained_words(self) -> tuple[str, ...]:
        return as_texts(self.fields.get("trainedWords"))

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """Return the hashes of the file in lower case, the longest and surest first.

        A hash that is only the beginning of another one is left out.
        """
        stated = self.fields.get("hashes")
        kinds = stated.items() if isinstance(stated, dict) else ()
        texts = {
            value.strip().lower() for kind, value in kinds if kind.lower() in HASH_KINDS and isinstance(value, str)
        }
        found = sorted((text for text in texts if HASH_PATTERN.fullmatch(text)), key=lambda text: (-len(text), text))
        return tuple(text for number, text in enumerate(found) if not _begins_any(text, found[:number]))

    @cached_property
    def for_job(self) -> JobResource:
        """Return what a job stores of it; the path rule gives the file name of a resource that has none of its own."""
        return JobResource(
            air=self.air,
            file_name=self.file_name or self.air.model_path,
            trained_words=self.trained_words,
            hashes=self.hashes,
        )

    @property
    def search_text(self) -> str:
        """Return the text that a search looks in: AIR, names and tags, case folded, one to a line."""
        names = [name for field in NAME_FIELDS if isinstance(name := self.fields.get(field), str)]
        return "\n".join([str(self.air), *names, *as_texts(self.fields.get("tags"))]).casefold()


def _begins_any(text: str, others: Sequence[str]) -> bool:
    return any(other.startswith(text) for other in others)


def find_named(reference: Reference, candidates: Iterable[Resource]) -> Resource | None:
    """Return the resource that a request means; without a version, the newest version of a model on Civitai.

    The first in order of AIR is taken of several: stores of earlier versions of this program may hold a version twice.
    """
    if not isinstance(reference, Air) or not reference.is_of_model:
        return _best_spelled(reference, [found for found in candidates if is_named(reference, found.air)])
    versions = [found for found in candidates if _is_of_same_model(reference, found.air)]
    newest = max(map(_age, versions), default=None)
    return _best_spelled(reference, [found for found in versions if _age(found) == newest])


def find_same(air: Air, candidates: Iterable[Resource]) -> Resource | None:
    """Return the resource that has this AIR, or another AIR of the same version: it may be replaced or deleted."""
    return _best_spelled(air, [found for found in candidates if is_named(air, found.air)])


def _best_spelled(reference: Reference, fitting: Iterable[Resource]) -> Resource | None:
    """Return the resource whose AIR is spelled in the same way, or else the first in order of AIR."""
    keys = {found.air.key: found for found in sorted(fitting, key=lambda found: found.air.key)}
    same = keys.get(reference.key) if isinstance(reference, Air) else None
    return same or next(iter(keys.values()), None)


def is_named(reference: Reference, air: Air) -> bool:
    """Return whether a reference names an AIR.

    Ecosystem and type may be left out; elsewhere than on Civitai an AIR that has them is the whole name.
    """
    if reference.version_id is not None:
        return air.version_id == reference.version_id
    if isinstance(reference, CompressedAir):
        return _same(air.source, reference.source) and _same(air.version, reference.version)
    if reference.ecosystem and reference.type:
        return air.key == reference.key
    return _is_of_same_model(reference, air) and _same(air.version, reference.version)


def _is_of_same_model(reference: Air, air: Air) -> bool:
    return _same(air.source, reference.source) and _same(air.model_id, reference.model_id)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").lower() == (other or "").lower()


def _age(resource: Resource) -> int:
    """Return the number of a version: Civitai numbers them in order. Other resources are older than all of them."""
    return int(resource.air.version_id or -1)
