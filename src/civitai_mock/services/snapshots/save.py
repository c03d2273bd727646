"""Save a namespace: read all that it has, and write it into one zip."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import IO, TypeVar

from civitai_mock.domain.blob import Blob, UndrawnBlob, etag_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NamespaceResetError, NotFoundError
from civitai_mock.domain.namespaces import Epoch, NamespaceRecord
from civitai_mock.ports import Clock, NamespaceStore, Stores
from civitai_mock.ports.snapshots import JobRecord
from civitai_mock.services.snapshots.document import saved_document
from civitai_mock.services.snapshots.files import file_errors
from civitai_mock.services.snapshots.format import (
    BATCH,
    BLOBS,
    COUNTERS,
    FORMAT,
    JOBS,
    RESOURCES,
    WORKFLOWS,
    BlobRecord,
    Manifest,
    without_journals,
)
from civitai_mock.services.snapshots.writer import SnapshotWriter, aborting

T = TypeVar("T")
ATTEMPTS = 3


class BlobChangedError(ConflictError):
    """A blob got other bytes while it was read; nearly always the next attempt finds none that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveNamespace:
    """Writes a snapshot of a namespace, while it goes on; `clock` is the real one."""

    namespaces: NamespaceStore
    in_epoch: Callable[[Epoch], Stores]
    clock: Clock
    program: str
    most_bytes: int

    async def __call__(self, name: str, file: IO[bytes]) -> None:
        """Raise `NotFoundError` for an unknown one, and `ConflictError` if it is too large, or reset meanwhile."""
        for attempt in range(ATTEMPTS):
            try:
                await self._save(name, file)
            except BlobChangedError:
                if attempt == ATTEMPTS - 1:
                    raise
                file.seek(0)
                file.truncate()
            else:
                return

    async def _save(self, name: str, file: IO[bytes]) -> None:
        before = await self._record(name)
        stores = self.in_epoch(Epoch(name, before.epoch))
        writer = SnapshotWriter(file, most_bytes=self.most_bytes)
        with file_errors(), aborting(writer):
            await _write_all(writer, stores)
            after = await self._record(name, epoch=before.epoch)
            now = self.clock.now()
            manifest = Manifest(format=FORMAT, program=self.program, made_at=now, namespace=name)
            await asyncio.to_thread(writer.finish, manifest, saved_document(after.document, now=now))

    async def _record(self, name: str, *, epoch: int | None = None) -> NamespaceRecord:
        record = await self.namespaces.get(name)
        if record is None:
            raise NotFoundError(f"The namespace '{name}' does not exist.")
        if epoch not in {None, record.epoch}:
            raise NamespaceResetError(f"The namespace '{name}' was reset while it was saved.")
        return record


async def _write_all(writer: SnapshotWriter, stores: Stores) -> None:
    """Write what is named after what names it, and counters last: no request is counted less often than it was made."""
    snapshots = stores.snapshots
    workflow_ids: set[str] = set()
    async for workflows in _batches(snapshots.workflows(), writer, WORKFLOWS):
        workflow_ids |= {record.workflow.id for record in workflows}
        await asyncio.to_thread(writer.write_records, WORKFLOWS, workflows)
    async for jobs in _batches(snapshots.jobs(), writer, JOBS):
        known = [record for record in jobs if _is_of_known(record, workflow_ids)]
        await asyncio.to_thread(writer.write_records, JOBS, known)
    async for resources in _batches(snapshots.resources(), writer, RESOURCES):
        await asyncio.to_thread(writer.write_records, RESOURCES, resources)
    await _write_blobs(writer, stores)
    async for counters in _batches(snapshots.counters(), writer, COUNTERS):
        await asyncio.to_thread(writer.write_records, COUNTERS, without_journals(counters))


def _is_of_known(record: JobRecord, workflow_ids: set[str]) -> bool:
    """Return False for a job whose workflow is younger than the snapshot."""
    return record.job.workflow is None or record.job.workflow.workflow_id in workflow_ids


async def _batches(records: AsyncIterator[T], writer: SnapshotWriter, name: str) -> AsyncIterator[Sequence[T]]:
    """Begin a file, and yield its records in batches."""
    await asyncio.to_thread(writer.begin, name)
    batch: list[T] = []
    async for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _write_blobs(writer: SnapshotWriter, stores: Stores) -> None:
    records: list[BlobRecord] = []
    files = 0
    async for found in stores.snapshots.blobs():
        if isinstance(found, UndrawnBlob):
            records.append(BlobRecord(undrawn=found))
        elif await _write_content(writer, stores, found, files):
            records.append(BlobRecord(file=files, blob=found))
            files += 1
    await asyncio.to_thread(writer.begin, BLOBS)
    for start in range(0, len(records), BATCH):
        await asyncio.to_thread(writer.write_records, BLOBS, records[start : start + BATCH])


async def _write_content(writer: SnapshotWriter, stores: Stores, blob: Blob, number: int) -> bool:
    """Write the bytes of a blob; return False if it is deleted, and raise `BlobChangedError` if it changes."""
    digest = sha256()
    has_begun = False
    try:
        async with aclosing(_chunks(stores, blob)) as chunks:
            async for chunk in chunks:
                if not has_begun:
                    await asyncio.to_thread(writer.begin, f"blobs/{number}", is_packed=False)
                    has_begun = True
                digest.update(chunk)
                await asyncio.to_thread(writer.write, chunk)
    except NotFoundError:
        if not has_begun and await stores.blobs.stat(blob.key) is None:
            return False
        raise BlobChangedError(f"The blob '{blob.key}' changed while it was saved.") from None
    if not has_begun:
        await asyncio.to_thread(writer.begin, f"blobs/{number}", is_packed=False)
    if etag_of(digest.hexdigest()) != blob.etag:
        raise BlobChangedError(f"The blob '{blob.key}' changed while it was saved.")
    return True


async def _chunks(stores: Stores, blob: Blob) -> AsyncGenerator[bytes, None]:
    async for chunk in stores.blobs.read(blob.key, start=0, stop=blob.size):
        yield chunk
