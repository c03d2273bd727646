"""Files of a job on their way into the store."""

from collections.abc import AsyncIterator
from dataclasses import replace

from civitai_mock.domain.blob import Blob, Slot
from civitai_mock.ports import BlobStore
from civitai_mock.scheduler.executors.context import JobContext

PNG = "image/png"
WEIGHTS = "application/octet-stream"


async def fill(work: JobContext, slot: Slot, content: AsyncIterator[bytes], content_type: str) -> Slot:
    """Store a file for as long as its job is kept."""
    job = work.job
    await work.tools.blobs.put(
        slot.blob_key, content, content_type=content_type, keep_until=job.keep_until, owner=job.issued_by
    )
    return replace(slot, available=True)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def content_of(blobs: BlobStore, blob: Blob) -> AsyncIterator[bytes]:
    return blobs.read(blob.key, start=0, stop=blob.size)
