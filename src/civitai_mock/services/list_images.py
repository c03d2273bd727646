"""List the images that jobs have made, for whoever looks into the server."""

from collections.abc import Sequence
from datetime import datetime

from civitai_mock.domain.blob import Blob, Slot, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.maturity import NsfwLevel, level_of_text
from civitai_mock.domain.media import MediaKind, kind_of
from civitai_mock.domain.search import Position
from civitai_mock.domain.stages import JobEventType
from civitai_mock.domain.tokens import position_of
from civitai_mock.services.blobs import BlobAccess
from civitai_mock.services.job_listing import BATCH, MOST_LOOKED_AT, JobFilter, ListJobs, prompt_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFilter:
    """Says which images are asked for; None asks for all. `text` and `since` are those of `JobFilter`."""

    seed: int | None = None
    text: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeImage:
    """Is an image that can be had: the one at `index` among the results of a job."""

    job: Job
    index: int
    slot: Slot
    blob: Blob | UndrawnBlob

    @property
    def nsfw_level(self) -> NsfwLevel:
        """Return how mature it is: as was found or said, or else by the words of its prompt."""
        known = self.blob.facts and self.blob.facts.nsfw_level
        return known or level_of_text(prompt_of(self.job.spec) or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImages:
    """Holds images, those of the youngest job first; the list goes on after the job `last`, or ends with None."""

    images: Sequence[MadeImage]
    last: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListImages:
    """Finds the images of jobs that have succeeded, page by page, whoever submitted them."""

    list_jobs: ListJobs
    blob_access: BlobAccess

    async def __call__(self, wanted: ImageFilter, *, before: Position | None, take: int) -> FoundImages:
        """Return at most `take`, but no job in parts, so that there are more if the first one has more.

        There may be fewer, though it goes on: `MOST_LOOKED_AT` jobs are looked at for one page.
        """
        jobs = JobFilter(status=JobEventType.SUCCEEDED, text=wanted.text, since=wanted.since)
        found: list[MadeImage] = []
        last = before
        for _ in range(MOST_LOOKED_AT // BATCH):
            page = await self.list_jobs(jobs, before=last, take=BATCH)
            for job in page.jobs:
                images = await self._images(job, wanted.seed)
                if found and len(found) + len(images) > take:
                    return FoundImages(images=found, last=last)
                found += images
                last = position_of(job)
            if page.last is None:
                return FoundImages(images=found, last=None)
            last = page.last
        return FoundImages(images=found, last=last)

    async def _images(self, job: Job, seed: int | None) -> Sequence[MadeImage]:
        """Return the images of a job that are still there."""
        found = []
        for index, slot in enumerate(job.slots):
            if slot.available and (seed is None or slot.seed == seed):
                blob = await self.blob_access.find(slot.blob_key, owner=None)
                if blob is not None and kind_of(blob.content_type) is MediaKind.IMAGE:
                    found.append(MadeImage(job=job, index=index, slot=slot, blob=blob))
        return found
