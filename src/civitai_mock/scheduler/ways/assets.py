"""Files of other jobs, which have to be the same consumer's."""

from dataclasses import dataclass

from civitai_mock.domain.blob import Blob, Slot, blob_key
from civitai_mock.domain.errors import JobError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.generation.work import ClearAssetsWork, CopyAssetWork
from civitai_mock.scheduler.ways.files import content_of, fill
from civitai_mock.scheduler.work import Way, Work
from civitai_mock.services.query import QueryJobs


@dataclass(frozen=True)
class CopyAssetWay(Way):
    todo: CopyAssetWork

    async def collect(self, work: Work) -> None:
        original = await self._original(work)
        copy = Slot(blob_key=blob_key(work.job.id, 0), name=self.todo.asset_name)
        work.slots = (await fill(work, copy, content_of(work.tools.blobs, original), original.content_type),)

    async def _original(self, work: Work) -> Blob:
        other = await _named_job(work, self.todo.job_id)
        wanted = next((slot for slot in other.slots if self.todo.asset_name in {slot.name, slot.blob_key}), None)
        blob = await work.tools.own_blobs.find(wanted.blob_key, owner=work.reach) if wanted else None
        if blob is None:
            raise JobError(f"The job '{other.id}' has no asset '{self.todo.asset_name}'.")
        return blob


@dataclass(frozen=True)
class ClearAssetsWay(Way):
    todo: ClearAssetsWork

    async def collect(self, work: Work) -> None:
        other = await _named_job(work, self.todo.job_id)
        deleted = [await work.tools.own_blobs.delete(slot.blob_key, owner=work.reach) for slot in other.slots]
        work.result = {"jobId": other.id, "deleted": sum(deleted)}


async def _named_job(work: Work, job_id: str) -> Job:
    """Somebody else's job is as good as none."""
    try:
        return await QueryJobs(jobs=work.tools.jobs).by_id(job_id, owner=work.reach)
    except NotFoundError as error:
        raise JobError(error.message) from error
