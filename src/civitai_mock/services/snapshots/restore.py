"""Restore a namespace: check all of a snapshot, write it where nobody sees it, and have the namespace be that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from civitai_mock.domain.blob import Blob, etag_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError, fault
from civitai_mock.domain.namespaces import Epoch, NamespaceRecord
from civitai_mock.ports import Clock, NamespaceStore, Stores
from civitai_mock.services.blob_urls import OwnBlobLinks
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.namespaces import TOKENS
from civitai_mock.services.snapshots.checks import RecordChecks, check_counts
from civitai_mock.services.snapshots.document import check_document, is_moved, restored_document
from civitai_mock.services.snapshots.format import (
    BATCH,
    BLOBS,
    COUNTERS,
    JOBS,
    RECORDS,
    RESOURCES,
    WORKFLOWS,
    BlobRecord,
    without_journals,
)
from civitai_mock.services.snapshots.moved import MovedRecords
from civitai_mock.services.snapshots.reader import SnapshotReader

KEPT = timedelta(seconds=60)  # without a sign of life, what is written so far counts as left behind
SIGN_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreNamespace:
    """Makes a namespace what a snapshot has; `clock` is the real one.

    `on_left` is called when rows are left to sweep; `links_in` returns the links of a namespace by name.
    """

    namespaces: NamespaceStore
    in_epoch: Callable[[Epoch], Stores]
    control: ControlPlane
    clock: Clock
    most_bytes: int
    most_namespaces: int
    on_left: Callable[[], None]
    links_in: Callable[[str], OwnBlobLinks]

    async def __call__(self, name: str, file: IO[bytes], *, check_simulated: Callable[[], None]) -> Sequence[str]:
        """Return the ids of the processes that do not obey yet; raise `InvalidRequestError` for a faulty snapshot.

        `check_simulated` refuses moved time where there is none; it is called if the snapshot has some.
        """
        snapshot = await asyncio.to_thread(_checked, file, self.most_bytes)
        if is_moved(snapshot.document):
            check_simulated()
        async with self._new_epoch() as epoch:
            await self._write(snapshot, name, self.in_epoch(Epoch(name, epoch)))
            _, not_yet = await self.control.change(partial(self._adopt, snapshot, name, epoch))
        return not_yet

    async def _adopt(self, snapshot: SnapshotReader, name: str, epoch: int) -> NamespaceRecord:
        now, known = self.clock.now(), await self.namespaces.get(name)
        tokens = None if known is None else known.document.get(TOKENS)
        document = restored_document(snapshot.document, tokens=tokens, now=now)
        return await self.namespaces.adopt(name, epoch, now=now, document=document, most=self.most_namespaces)

    @asynccontextmanager
    async def _new_epoch(self) -> AsyncIterator[int]:
        """Yield the number of an epoch to write into, which is left at once if that fails."""
        epoch = await self.namespaces.begin_epoch(lasting=KEPT)
        keeping = asyncio.create_task(self._keep(epoch), name=f"restore into epoch {epoch}")
        try:
            yield epoch
        except BaseException:
            with suppress(TransientError):  # as it is left behind anyway, after a while
                await asyncio.shield(self.namespaces.leave_epoch(epoch))
            self.on_left()
            raise
        finally:
            keeping.cancel()

    async def _keep(self, epoch: int) -> None:
        while True:
            await asyncio.sleep(SIGN_SECONDS)
            with suppress(TransientError):
                await self.namespaces.keep_epoch(epoch, lasting=KEPT)

    async def _write(self, snapshot: SnapshotReader, name: str, stores: Stores) -> None:
        write, moved = stores.snapshots, MovedRecords(name=name, links=self.links_in(name))
        async for workflows in _batches(snapshot, WORKFLOWS):
            await write.write_workflows([moved.workflow(record) for record in workflows])
        async for jobs in _batches(snapshot, JOBS):
            await write.write_jobs([moved.job(record) for record in jobs])
        async for resources in _batches(snapshot, RESOURCES):
            await write.write_resources(resources)
        async for blobs in _batches(snapshot, BLOBS):
            await _write_blobs(snapshot, blobs, stores)
        async for counters in _batches(snapshot, COUNTERS):
            if kept := without_journals(counters):
                await write.write_counters(kept)


def _checked(file: IO[bytes], most_bytes: int) -> SnapshotReader:
    """Return a snapshot that was read to its end."""
    snapshot = SnapshotReader(file, most_bytes=most_bytes)
    check_document(snapshot.document)
    checks, counts = RecordChecks(files=snapshot.files), dict.fromkeys(RECORDS, 0)
    for name in RECORDS:
        for place, record in snapshot.records(name):
            checks.check(name, place, record)
            counts[name] += 1
            if name == BLOBS and record.blob is not None:
                _check_content(snapshot, record.file, record.blob, place)
    checks.check_files()
    check_counts(snapshot.manifest.counts, counts)
    return snapshot


def _check_content(snapshot: SnapshotReader, number: int, blob: Blob, place: str) -> None:
    digest, size = sha256(), 0
    for chunk in snapshot.content(number):
        digest.update(chunk)
        size += len(chunk)
    if size != blob.size or etag_of(digest.hexdigest()) != blob.etag:
        raise fault(f"{place}.blob", f"The bytes in blobs/{number} are not those that size and etag say.")


async def _batches(snapshot: SnapshotReader, name: str) -> AsyncIterator[Sequence[Any]]:
    records = snapshot.records(name)
    while batch := await asyncio.to_thread(_some, records):
        yield batch


def _some(records: Iterator[tuple[str, Any]]) -> Sequence[Any]:
    return [record for _, record in islice(records, BATCH)]


async def _write_blobs(snapshot: SnapshotReader, records: Sequence[BlobRecord], stores: Stores) -> None:
    undrawn = [record.undrawn for record in records if record.undrawn is not None]
    if undrawn:
        await stores.blobs.put_undrawn(undrawn)
    for record in records:
        blob = record.blob
        if blob is not None and record.file is not None:
            await stores.blobs.put(
                blob.key,
                _chunks(snapshot.content(record.file)),
                content_type=blob.content_type,
                keep_until=blob.keep_until,
                owner=blob.owner,
                facts=blob.facts,
                fault=blob.fault,
            )


async def _chunks(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(next, content, b""):
        yield chunk
