"""`blobPin`: keep a stored blob."""

from typing import ClassVar

from civitai_mock.generation.blob_request import StoredBlobRequest
from civitai_mock.generation.work import BlobAction


class PinBlobRequest(StoredBlobRequest):
    """The blob stays until it is unpinned or deleted."""

    wire_name: ClassVar[str] = "blobPin"
    template_name: ClassVar[str] = "PinBlobTemplate"
    job_type: ClassVar[str] = "BlobPin"
    action: ClassVar[BlobAction] = BlobAction.PIN
