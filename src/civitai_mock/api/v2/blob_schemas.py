"""The documents of v2's blobs, as the official description names their members."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

NsfwLevelName = Literal["pg", "pg13", "r", "x", "xxx", "na"]


class Blob(TypedDict):
    """Describes a file: an image, a video, a sound or a 3-D model; `width` to `format` are those of its type."""

    width: NotRequired[int]
    height: NotRequired[int]
    duration: NotRequired[float]
    format: NotRequired[str]
    previewUrl: NotRequired[str]
    previewUrlExpiresAt: NotRequired[str]
    type: NotRequired[str]
    id: str
    available: bool
    url: NotRequired[str]
    urlExpiresAt: NotRequired[str]
    jobId: NotRequired[str]
    nsfwLevel: NotRequired[NsfwLevelName]
    blockedReason: NotRequired[str]


class ConsumerBlobPresignResponse(TypedDict):
    """Names a URL to which a file can be sent without a token, until it expires."""

    uploadUrl: str
    expiresAt: str
