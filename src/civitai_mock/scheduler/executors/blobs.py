"""Keep, copy and delete stored blobs, and the files of jobs, which have to be the same consumer's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.blob import Blob, Slot, blob_key
from civitai_mock.domain.errors import JobError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.generation.work import BlobAction, BlobWork, ClearAssetsWork, CopyAssetWork
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.files import content_of, fill
from civitai_mock.services.query import QueryJobs

PINNED = datetime(9999, 1, 1, tzinfo=UTC)

KeepUntil = Callable[[JobContext, Blob, timedelta], datetime]


def _longer(work: JobContext, blob: Blob, duration: timedelta) -> datetime:
    return max(blob.keep_until, work.tools.clock.now() + duration)


def _for_ever(_: JobContext, __: Blob, ___: timedelta) -> datetime:
    return PINNED


def _as_long_as_this_job(work: JobContext, _: Blob, __: timedelta) -> datetime:
    return work.job.keep_until


KEEP_UNTIL: Mapping[BlobAction, KeepUntil] = {
    BlobAction.UPLOAD: _longer,
    BlobAction.GET: _longer,
    BlobAction.PIN: _for_ever,
    BlobAction.UNPIN: _as_long_as_this_job,
}


@dataclass(frozen=True)
class BlobExecutor(Executor):
    todo: BlobWork

    async def collect(self, work: JobContext) -> None:
        """The result is the blob itself, as a job's own image would be."""
        key = self.todo.key or blob_key(work.job.id, 0)
        there = await self._keep(work, key) if self.todo.action in KEEP_UNTIL else await _delete(work, key)
        work.slots = (Slot(blob_key=key, available=there),)

    async def _keep(self, work: JobContext, key: str) -> bool:
        """Whether there was anything to keep."""
        blobs = work.tools.own_blobs
        blob = await blobs.find(key, owner=work.reach)
        if blob is None:
            return False
        await blobs.keep(blob, KEEP_UNTIL[self.todo.action](work, blob, self.todo.duration or timedelta()))
        return True


async def _delete(work: JobContext, key: str) -> bool:
    await work.tools.own_blobs.delete(key, owner=work.reach)
    return False


@dataclass(frozen=True)
class CopyAssetExecutor(Executor):
    todo: CopyAssetWork

    async def collect(self, work: JobContext) -> None:
        original = await self._original(work)
        copy = Slot(blob_key=blob_key(work.job.id, 0), name=self.todo.asset_name)
        work.slots = (await fill(work, copy, content_of(work.tools.blobs, original), original.content_type),)

    async def _original(self, work: JobContext) -> Blob:
        other = await _named_job(work, self.todo.job_id)
        wanted = next((slot for slot in other.slots if self.todo.asset_name in {slot.name, slot.blob_key}), None)
        blob = await work.tools.own_blobs.find(wanted.blob_key, owner=work.reach) if wanted else None
        if blob is None:
            raise JobError(f"The job '{other.id}' has no asset '{self.todo.asset_name}'.")
        return blob


@dataclass(frozen=True)
class ClearAssetsExecutor(Executor):
    todo: ClearAssetsWork

    async def collect(self, work: JobContext) -> None:
        other = await _named_job(work, self.todo.job_id)
        deleted = [await work.tools.own_blobs.delete(slot.blob_key, owner=work.reach) for slot in other.slots]
        work.result = {"jobId": other.id, "deleted": sum(deleted)}


async def _named_job(work: JobContext, job_id: str) -> Job:
    """Somebody else's job is as good as none."""
    try:
        return await QueryJobs(jobs=work.tools.jobs).by_id(job_id, owner=work.reach)
    except NotFoundError as error:
        raise JobError(error.message) from error
