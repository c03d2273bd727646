"""`blobUpload`: whether a blob is there, and what key a new one would have."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.blob_request import KeepingTime
from civitai_mock.generation.wire import BlobKey
from civitai_mock.generation.work import BlobAction, BlobWork


class UploadBlobRequest(AsSentRequest):
    """Without a `key` the job's own is told. There is nowhere to upload to, so `replace` changes nothing."""

    wire_name: ClassVar[str] = "blobUpload"
    template_name: ClassVar[str] = "UploadBlobTemplate"
    job_type: ClassVar[str] = "BlobUpload"
    cost: ClassVar[float] = 0

    key: BlobKey | None = None
    replace: bool | None = None
    duration: KeepingTime | None = None

    def order(self) -> BlobWork:
        return BlobWork(action=BlobAction.UPLOAD, key=self.key, duration=self.duration)
