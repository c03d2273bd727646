"""`blobDelete`: delete a stored blob."""

from typing import ClassVar

from civitai_mock.generation.blob_request import StoredBlobRequest
from civitai_mock.generation.work import BlobAction


class DeleteBlobRequest(StoredBlobRequest):
    """The blob goes now, also from the results of the job that made it."""

    wire_name: ClassVar[str] = "blobDelete"
    template_name: ClassVar[str] = "DeleteBlobTemplate"
    job_type: ClassVar[str] = "BlobDelete"
    action: ClassVar[BlobAction] = BlobAction.DELETE
