"""Render blobs as v2 shows them: in the outputs of steps, and when one is uploaded or refreshed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from civitai_mock.domain.blob import BlobFacts, Shown
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import LENGTH_OF_OFFSET, format_date, plain_number, without_trailing_zeros
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.media import MediaKind, kind_of
from civitai_mock.services.blob_urls import WorkflowBlobUrls

NO_FACTS = BlobFacts()
DEFAULT_FORMAT = "glb"
CACHED_DATES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRenderer:
    """Renders blobs with URLs that begin with `base_url`; one that hides mature content leaves out URLs to it."""

    urls: WorkflowBlobUrls
    base_url: str
    hides_mature_content: bool = False

    def render(
        self,
        blob_id: str,
        *,
        content_type: str,
        facts: BlobFacts | None,
        is_available: bool = True,
        blocked_reason: str | None = None,
        shown: Shown = Shown.FILE,
        expired_at: datetime | None = None,
    ) -> JsonObject:
        """Return the document of a blob in the order of captures; a URL is there before the bytes are.

        The `blocked_reason` says why it is withheld. `shown` is what its URL shows, the file or its stream; it is none
        of those that were signed until the blob `expired_at` a time.
        """
        known = facts or NO_FACTS
        kind = kind_of(content_type)
        is_hidden = known.is_missing or (
            self.hides_mature_content and known.nsfw_level is not None and known.nsfw_level.is_mature
        )
        members: JsonObject = {} if kind is None else MEMBERS_OF[kind](blob_id, known)
        expiry = None if is_hidden else self.urls.expiry(after=expired_at)
        if kind is MediaKind.IMAGE and expiry is not None:
            members["previewUrl"] = self.urls.url(blob_id, expiry, base_url=self.base_url, shown=Shown.PREVIEW)
            members["previewUrlExpiresAt"] = date_text(expiry.at)
        if kind is not None:  # the description has no type for weights and archives
            members["type"] = kind
        members["id"] = blob_id
        members["available"] = is_available
        if expiry is not None:
            members["url"] = self.urls.url(blob_id, expiry, base_url=self.base_url, shown=shown)
            members["urlExpiresAt"] = date_text(expiry.at)
        if known.job_id is not None:
            members["jobId"] = known.job_id
        if known.nsfw_level is not None:
            members["nsfwLevel"] = known.nsfw_level
        if blocked_reason is not None:
            members["blockedReason"] = blocked_reason
        return members


@lru_cache(maxsize=CACHED_DATES)
def date_text(moment: datetime) -> str:
    """Print a date as v2's answers have it: a workflow, its steps and its jobs share most of theirs."""
    if moment.tzinfo is not UTC:
        return without_trailing_zeros(format_date(moment))
    text = moment.isoformat()[:-LENGTH_OF_OFFSET]  # takes half as long
    return f"{text.rstrip('0') if moment.microsecond else text}Z"


def _pixels(_: str, facts: BlobFacts) -> JsonObject:
    known: JsonObject = {} if facts.width is None else {"width": facts.width}
    if facts.height is not None:
        known["height"] = facts.height
    return known


def _duration(_: str, facts: BlobFacts) -> JsonObject:
    return {} if facts.duration is None else {"duration": plain_number(facts.duration)}


def _format(blob_id: str, _: BlobFacts) -> JsonObject:
    return {"format": blob_id.rpartition(".")[2] if "." in blob_id else DEFAULT_FORMAT}


MEMBERS_OF: Mapping[MediaKind, Callable[[str, BlobFacts], JsonObject]] = {
    MediaKind.IMAGE: _pixels,
    MediaKind.VIDEO: _pixels,
    MediaKind.AUDIO: _duration,
    MediaKind.MODEL_3D: _format,
}
