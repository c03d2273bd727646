"""Show what goes wrong with the blobs of a job."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.faults.kept import told_fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.ports import BlobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBlobFaults:
    """Finds the rules that fired for the blobs of a job, each with the key of its blob."""

    blobs: BlobStore

    async def __call__(self, job: Job) -> Sequence[JsonObject]:
        found = [await self.blobs.stat(slot.blob_key) for slot in job.slots]
        faults = [(blob.key, told_fault(blob.fault or {})) for blob in found if blob is not None]
        return [{"blobKey": key, **fault} for key, fault in faults if fault is not None]
