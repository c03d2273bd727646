"""What v2 shows of a blob: the file or a preview of it, or that it is withheld."""

from datetime import datetime

from civitai_mock.domain.blob import Blob, BlobFacts, BlobLink, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.maturity import MATURE_CONTENT, NsfwLevel, withheld_reason
from civitai_mock.ports import WorkflowStore
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.blob_reading import BlobReading
from civitai_mock.services.blob_tokens import BlobTokens, BlockedToken, ContentToken
from civitai_mock.services.blob_urls import V2_BLOBS_PATH
from civitai_mock.services.blobs import BlobAccess

CONTENT_PATH, BLOCKED_PATH, ARCHIVE_PATH = (f"{V2_BLOBS_PATH}/{kind}" for kind in ("content", "blocked", "archive"))
UNKNOWN_SIDE, LONGEST_SIDE = 512, 4096  # of the placeholder of a blob that is withheld, in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobView:
    """Is a blob as somebody may see it: with a `blocked_reason` only that it is there."""

    blob: Blob | UndrawnBlob
    blocked_reason: str | None = None

    @property
    def level(self) -> NsfwLevel | None:
        return None if self.blob.facts is None else self.blob.facts.nsfw_level


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewBlobs:
    """Decides what a link to a blob leads to."""

    access: BlobAccess
    tokens: BlobTokens
    workflows: WorkflowStore

    async def see(
        self,
        link: BlobLink,
        *,
        owner: str | None,
        most: NsfwLevel | None = None,
        reading: BlobReading | None = None,
    ) -> BlobView:
        """Return the blob of a link; one that is more mature than its workflow allows, or than `most`, is withheld.

        So is one that is blocked. Raise `NotFoundError` if there is no such blob (any more), or not for `owner` where
        the link is not signed, and what a `reading` of it has because of its fault.
        """
        blob = await self.access.get(link.key, owner=None if link.is_signed else owner, reading=reading)
        facts = blob.facts or BlobFacts()
        level = facts.nsfw_level
        if facts.blocked_reason is not None:
            return BlobView(blob=blob, blocked_reason=facts.blocked_reason)
        if most is not None and level is not None and level.exceeds(most):
            return BlobView(blob=blob, blocked_reason=MATURE_CONTENT)
        if facts.workflow_id is None or level is None or not level.is_mature:
            return BlobView(blob=blob)
        return BlobView(blob=blob, blocked_reason=await self._withheld_reason(facts.workflow_id, level))

    async def open(
        self, link: BlobLink, *, owner: str | None, reading: BlobReading | None = None
    ) -> tuple[BlobView, OpenBlob]:
        """Open what a link shows; raise `NotFoundError` for what is withheld, too."""
        view = await self.see(link, owner=owner, reading=reading)
        if view.blocked_reason is not None:
            raise NotFoundError(f"The blob '{link.key}' is withheld: {view.blocked_reason}.")
        return view, await self.access.open_link(link, owner=owner)

    async def _withheld_reason(self, workflow_id: str, level: NsfwLevel) -> str | None:
        """Ask the workflow, as what it allows may change; one that was deleted allows nothing."""
        found = await self.workflows.get(workflow_id)
        allows = False if found is None else found.workflow.allow_mature_content
        return withheld_reason(level, allow_mature_content=allows)

    def location(self, view: BlobView, content: ContentToken, *, until: datetime | None) -> str:
        """Return the path under which the content is given out, but not after `until`, or the placeholder for it."""
        if view.blocked_reason is None:
            return f"{CONTENT_PATH}/{self.tokens.sign(content, until=until)}"
        facts = view.blob.facts or BlobFacts()
        blocked = BlockedToken(
            width=_side(facts.width),
            height=_side(facts.height),
            level=view.level or NsfwLevel.NA,
            reason=view.blocked_reason,
            key=view.blob.key,
        )
        return f"{BLOCKED_PATH}/{self.tokens.sign(blocked, until=until)}"


def _side(pixels: int | None) -> int:
    return UNKNOWN_SIDE if pixels is None else max(1, min(pixels, LONGEST_SIDE))
