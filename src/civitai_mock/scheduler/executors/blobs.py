"""Keep, copy and delete stored blobs, and the files of jobs, which have to be the same consumer's."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.blob import Blob, Slot, UndrawnBlob, blob_key
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import JobError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.generation.work import ArchiveWork, BlobAction, BlobWork, ClearAssetsWork, CopyAssetWork
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.query import QueryJobs

PINNED = datetime(9999, 1, 1, tzinfo=UTC)


def _at_least_for(context: JobContext, blob: Blob | UndrawnBlob, duration: timedelta) -> datetime:
    return max(blob.keep_until, context.services.clock.now() + duration)


def _for_ever(_: JobContext, __: Blob | UndrawnBlob, ___: timedelta) -> datetime:
    return PINNED


def _as_long_as_this_job(context: JobContext, _: Blob | UndrawnBlob, __: timedelta) -> datetime:
    return context.job.keep_until


# How long each action keeps a blob; the one that is not here deletes it.
KEEP_UNTIL: Mapping[BlobAction, Callable[[JobContext, Blob | UndrawnBlob, timedelta], datetime]] = {
    BlobAction.UPLOAD: _at_least_for,
    BlobAction.GET: _at_least_for,
    BlobAction.PIN: _for_ever,
    BlobAction.UNPIN: _as_long_as_this_job,
}


@dataclass(frozen=True)
class BlobExecutor(Executor):
    """Keeps a blob for longer or shorter, or deletes it."""

    work: BlobWork

    async def collect(self, context: JobContext) -> None:
        """Leave the blob itself as the result, as a job's own image would be."""
        key, is_available = self.work.key or blob_key(context.job.id, 0), False
        if self.work.action in KEEP_UNTIL:
            is_available = await self._keep(context, key)
        else:
            await context.services.blob_access.delete(key, owner=context.owner)
        context.slots = (Slot(blob_key=key, available=is_available),)

    async def _keep(self, context: JobContext, key: str) -> bool:
        """Return whether there was anything to keep."""
        blobs = context.services.blob_access
        blob = await blobs.find(key, owner=context.owner)
        if blob is None:
            return False
        if isinstance(blob, UndrawnBlob):
            await context.before_waiting()
        await blobs.keep(blob, KEEP_UNTIL[self.work.action](context, blob, self.work.duration or timedelta()))
        return True


@dataclass(frozen=True)
class CopyAssetExecutor(Executor):
    """Copies a file of another job."""

    work: CopyAssetWork

    async def collect(self, context: JobContext) -> None:
        await context.before_waiting()
        original = await self._original(context)
        copy = Slot(blob_key=blob_key(context.job.id, 0), name=self.work.asset_name)
        context.slots = (await context.fill_slot(copy, original.content(), original.blob.content_type),)

    async def _original(self, context: JobContext) -> OpenBlob:
        other = await _get_job(context, self.work.job_id)
        wanted = next((slot for slot in other.slots if self.work.asset_name in {slot.name, slot.blob_key}), None)
        blobs = context.services.blob_access
        blob = await blobs.find(wanted.blob_key, owner=context.owner) if wanted else None
        if blob is None:
            raise JobError(f"The job '{other.id}' has no asset '{self.work.asset_name}'.")
        return await blobs.drawing.open(blob)


@dataclass(frozen=True)
class ClearAssetsExecutor(Executor):
    """Deletes the files of another job."""

    work: ClearAssetsWork

    async def collect(self, context: JobContext) -> None:
        other, blobs = await _get_job(context, self.work.job_id), context.services.blob_access
        deleted = [await blobs.delete(slot.blob_key, owner=context.owner) for slot in other.slots]
        context.result = {"jobId": other.id, "deleted": sum(deleted)}


@dataclass(frozen=True)
class ArchiveExecutor(Executor):
    """Makes an archive, and leaves the path of its URL: whoever reads the result knows by which host it is reached."""

    work: ArchiveWork

    async def collect(self, context: JobContext) -> None:
        from civitai_mock.services.archives import ArchiveEntry, ArchiveFormat  # noqa: PLC0415 - hardly anybody has one

        try:
            signed = await context.services.archives().make(
                [ArchiveEntry(blob_id=key, file_name=name) for key, name in self.work.entries],
                archive_format=ArchiveFormat(self.work.archive_format),
                name=self.work.name,
                owner=context.owner,
                issued_by=context.job.issued_by,
                base_url="",
            )
        except NotFoundError as error:
            raise JobError(error.message) from error
        context.result = {"path": signed.url, "expiresAt": format_date(signed.expires_at)}


async def _get_job(context: JobContext, job_id: str) -> Job:
    """Return a job that the request names; raise `JobError` if the job's consumer has none with that id."""
    try:
        return await QueryJobs(jobs=context.services.jobs).by_id(job_id, owner=context.owner)
    except NotFoundError as error:
        raise JobError(error.message) from error
