"""`blobUnpin`: keep a stored blob no longer than others."""

from typing import ClassVar

from civitai_mock.generation.blob_request import StoredBlobRequest
from civitai_mock.generation.work import BlobAction


class UnpinBlobRequest(StoredBlobRequest):
    """The blob goes when this job goes."""

    wire_name: ClassVar[str] = "blobUnpin"
    template_name: ClassVar[str] = "UnpinBlobTemplate"
    job_type: ClassVar[str] = "BlobUnpin"
    action: ClassVar[BlobAction] = BlobAction.UNPIN
