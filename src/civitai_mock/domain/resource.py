"""Resources, and which of some resources an AIR names, however it is spelt."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`fields` is the document as its owner wrote it, without `air`."""

    air: Air
    fields: ReadOnlyJson

    @property
    def info(self) -> JsonObject:
        """The official ResourceInfo, with every other field kept."""
        missing = {name: value for name, value in REQUIRED_FIELDS.items() if name not in self.fields}
        return {"air": str(self.air), **self.fields, **missing}

    @property
    def file_name(self) -> str | None:
        """The `fileName` override of the path rule."""
        value = self.fields.get("fileName")
        return value if isinstance(value, str) and value else None

    @property
    def trained_words(self) -> tuple[str, ...]:
        return _texts(self.fields.get("trainedWords"))

    @property
    def hashes(self) -> tuple[str, ...]:
        """Of the file, in lower case, the longest and surest first; what only begins another one is not repeated."""
        stated = self.fields.get("hashes")
        kinds = stated.items() if isinstance(stated, dict) else ()
        texts = {
            value.strip().lower() for kind, value in kinds if kind.lower() in HASH_KINDS and isinstance(value, str)
        }
        found = sorted((text for text in texts if HASH_PATTERN.fullmatch(text)), key=lambda text: (-len(text), text))
        return tuple(text for number, text in enumerate(found) if not _begins_any(text, found[:number]))

    @property
    def search_text(self) -> str:
        """What `q` is looked for in: air, names and tags, case folded, one to a line."""
        names = [name for field in NAME_FIELDS if isinstance(name := self.fields.get(field), str)]
        return "\n".join([str(self.air), *names, *_texts(self.fields.get("tags"))]).casefold()


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _begins_any(text: str, others: Sequence[str]) -> bool:
    return any(other.startswith(text) for other in others)


def named(reference: Reference, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that a request means; without a version, the newest one of a model of Civitai's.

    Of several the first in order of AIR: stores of earlier versions of this program may hold a version twice.
    """
    if not isinstance(reference, Air) or not reference.is_of_model:
        return _best_spelt(reference, [found for found in candidates if is_named(reference, found.air)])
    versions = [found for found in candidates if _is_of_same_model(reference, found.air)]
    newest = max(map(_age, versions), default=None)
    return _best_spelt(reference, [found for found in versions if _age(found) == newest])


def itself(air: Air, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that has this AIR, or another AIR of the same version: what may be replaced or deleted."""
    return _best_spelt(air, [found for found in candidates if is_named(air, found.air)])


def _best_spelt(reference: Reference, fitting: Iterable[Resource]) -> Resource | None:
    """The one that is spelt in the same way, or else the first in order of AIR."""
    keys = {found.air.key: found for found in sorted(fitting, key=lambda found: found.air.key)}
    spelt_so = keys.get(reference.key) if isinstance(reference, Air) else None
    return spelt_so or next(iter(keys.values()), None)


def is_named(reference: Reference, air: Air) -> bool:
    """Ecosystem and type may be left out; elsewhere than on Civitai an AIR that has them is the whole name."""
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
    """Civitai numbers its versions in order; what has no number is older than all of them."""
    return int(resource.air.version_id or -1)
