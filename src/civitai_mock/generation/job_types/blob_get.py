"""`blobGet`: a URL for a stored blob."""

from typing import ClassVar

from civitai_mock.generation.blob_request import KeepingTime, StoredBlobRequest
from civitai_mock.generation.work import BlobAction, BlobWork


class GetBlobRequest(StoredBlobRequest):
    """With a `duration` the blob stays at least that long from now."""

    wire_name: ClassVar[str] = "blobGet"
    template_name: ClassVar[str] = "GetBlobTemplate"
    job_type: ClassVar[str] = "BlobGet"
    action: ClassVar[BlobAction] = BlobAction.GET

    duration: KeepingTime | None = None

    def order(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key, duration=self.duration)
