"""Files of other jobs, which have to be the same consumer's."""

from dataclasses import dataclass

from civitai_mock.domain.blob import Blob, Slot, blob_key
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
from civitai_mock.generation.work import ClearAssetsWork, CopyAssetWork
from civitai_mock.scheduler.ways.files import content_of, fill
from civitai_mock.scheduler.work import Way, Work


@dataclass(frozen=True)
class CopyAssetWay(Way):
    todo: CopyAssetWork

    async def collect(self, work: Work) -> None:
        original = await self._original(work)
        copy = Slot(blob_key=blob_key(work.job.id, 0), name=self.todo.asset_name)
        work.slots = (await fill(work, copy, content_of(work.tools.blobs, original), original.content_type),)

    async def _original(self, work: Work) -> Blob:
        other = await _job_of_same_consumer(work, self.todo.job_id)
        wanted = next((slot for slot in other.slots if self.todo.asset_name in {slot.name, slot.blob_key}), None)
        blob = await work.tools.blobs.stat(wanted.blob_key) if wanted else None
        if blob is None:
            raise JobError(f"The job '{other.id}' has no asset '{self.todo.asset_name}'.")
        return blob


@dataclass(frozen=True)
class ClearAssetsWay(Way):
    todo: ClearAssetsWork

    async def collect(self, work: Work) -> None:
        other = await _job_of_same_consumer(work, self.todo.job_id)
        deleted = [await work.tools.blobs.delete(slot.blob_key) for slot in other.slots]
        work.result = {"jobId": other.id, "deleted": sum(deleted)}


async def _job_of_same_consumer(work: Work, job_id: str) -> Job:
    """Somebody else's job is as good as none."""
    other = await work.tools.jobs.get(job_id)
    if other is None or other.issued_by != work.job.issued_by:
        raise JobError(f"The job '{job_id}' does not exist.")
    return other
