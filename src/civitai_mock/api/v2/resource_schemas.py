"""The schemas of resources: what may be written, and the official ResourceInfo that is read.

Whatever else a document has is kept and given back.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from civitai_mock.api.validation import at_most

PATH_TRICKS = re.compile(r"[\x00-\x1f\x7f]|^[A-Za-z]:|(?:^|[/\\])\.{0,2}(?:[/\\]|$)")


def _relative_path(text: str) -> str:
    if PATH_TRICKS.search(text):
        raise ValueError("Expected the path of a file inside the models folder, with no '..' in it.")
    return text


Size: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
FileName: TypeAlias = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_relative_path)]
Words: TypeAlias = Annotated[list[str], Field(fail_fast=True)]  # one fault says enough
Hashes: TypeAlias = Annotated[dict[str, str], at_most(100, "hashes")]
FileFormat: TypeAlias = Literal["unknown", "safeTensor", "pickleTensor", "diffusers", "coreML", "onnx", "tar"]


class ResourceAbout(TypedDict, total=False):
    """The fields that a resource may have whether it is written or read."""

    type: str
    modelName: str
    resourceName: str
    versionName: str
    fileName: FileName
    tags: Words
    trainedWords: Words
    requiresAuthorization: bool
    popularityRank: float
    isFeatured: bool
    publishedAt: str
    invalidateAt: str
    earlyAccessEndsAt: str
    freeTrialLimit: int


@with_config(ConfigDict(strict=True, extra="allow"))
class ResourceFields(ResourceAbout, total=False):
    """The fields that may be written; those that are missing get a default."""

    size: Size
    hashes: Hashes
    downloadUrls: Words
    checkPermission: bool
    canGenerate: bool
    fileFormat: FileFormat
    hasMatureContentRestriction: bool
    hasNSFWContentRestriction: bool


@with_config(ConfigDict(strict=True, extra="allow"))
class ResourceDocument(ResourceFields):
    """A whole resource; only its AIR has to be there."""

    air: Required[str]


@with_config(ConfigDict(extra="allow"))
class ResourceInfo(ResourceAbout):
    """A resource as the official API shows it, with every field of its own."""

    air: Required[str]
    size: Required[Size]
    hashes: Required[dict[str, str]]
    downloadUrls: Required[list[str]]
    checkPermission: Required[bool]
    canGenerate: Required[bool]
    fileFormat: Required[FileFormat]
    hasMatureContentRestriction: Required[bool]
    hasNSFWContentRestriction: Required[bool]


class ResourceList(TypedDict):
    """One page of resources, in order of AIR; `total` counts all that match."""

    page: int
    limit: int
    total: int
    items: Sequence[ResourceInfo]
