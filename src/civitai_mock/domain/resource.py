"""What an AIR names: checkpoint, LoRA, VAE, embedding…"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.domain.air import Air
from civitai_mock.domain.json import Json, JsonObject, ReadOnlyJson

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
