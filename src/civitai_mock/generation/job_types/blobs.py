"""Job types that act on stored blobs, and on the files that another job made."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer

from civitai_mock.domain.dotnet import format_timespan, parse_timespan
from civitai_mock.generation.job_types.request import PassthroughRequest
from civitai_mock.generation.wire import BlobKey, Text, Uri
from civitai_mock.generation.work import BlobAction, BlobWork, ClearAssetsWork, CopyAssetWork

LONGEST_RETENTION = timedelta(days=365)


def _retention(value: object) -> object:
    if not isinstance(value, str):
        return value
    duration = parse_timespan(value)
    if duration > LONGEST_RETENTION:
        raise ValueError(f"expected a duration of at most {LONGEST_RETENTION.days} days; found {value}")
    return duration


Retention = Annotated[
    timedelta,
    Field(strict=True, json_schema_extra={"format": "time-span", "examples": ["1.00:00:00"]}),
    BeforeValidator(_retention),
    PlainSerializer(format_timespan, return_type=str),
]


class StoredBlobRequest(PassthroughRequest):
    """Acts on a blob by its key; the result tells if there is no such blob, which is not an error."""

    cost: ClassVar[float] = 0
    action: ClassVar[BlobAction]

    key: BlobKey

    def own_work(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key)


class DeleteBlobRequest(StoredBlobRequest):
    """The blob is deleted now, also from the results of the job that made it."""

    wire_name: ClassVar[str] = "blobDelete"
    template_name: ClassVar[str] = "DeleteBlobTemplate"
    job_type: ClassVar[str] = "BlobDelete"
    action: ClassVar[BlobAction] = BlobAction.DELETE


class GetBlobRequest(StoredBlobRequest):
    """With a `duration` the blob stays for at least that long from now."""

    wire_name: ClassVar[str] = "blobGet"
    template_name: ClassVar[str] = "GetBlobTemplate"
    job_type: ClassVar[str] = "BlobGet"
    action: ClassVar[BlobAction] = BlobAction.GET

    duration: Retention | None = None

    def own_work(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key, duration=self.duration)


class PinBlobRequest(StoredBlobRequest):
    """The blob stays until it is unpinned or deleted."""

    wire_name: ClassVar[str] = "blobPin"
    template_name: ClassVar[str] = "PinBlobTemplate"
    job_type: ClassVar[str] = "BlobPin"
    action: ClassVar[BlobAction] = BlobAction.PIN


class UnpinBlobRequest(StoredBlobRequest):
    """The blob is deleted together with this job."""

    wire_name: ClassVar[str] = "blobUnpin"
    template_name: ClassVar[str] = "UnpinBlobTemplate"
    job_type: ClassVar[str] = "BlobUnpin"
    action: ClassVar[BlobAction] = BlobAction.UNPIN


class UploadBlobRequest(PassthroughRequest):
    """Without a `key` the result has that of the job. There is nowhere to upload to, so `replace` changes nothing."""

    wire_name: ClassVar[str] = "blobUpload"
    template_name: ClassVar[str] = "UploadBlobTemplate"
    job_type: ClassVar[str] = "BlobUpload"
    cost: ClassVar[float] = 0

    key: BlobKey | None = None
    replace: bool | None = None
    duration: Retention | None = None

    def own_work(self) -> BlobWork:
        return BlobWork(action=BlobAction.UPLOAD, key=self.key, duration=self.duration)


class ClearAssetRequest(PassthroughRequest):
    """The other job still lists its files; their URLs answer 404."""

    wire_name: ClassVar[str] = "clearAssets"
    template_name: ClassVar[str] = "ClearAssetTemplate"
    job_type: ClassVar[str] = "ClearAssets"
    cost: ClassVar[float] = 0

    job_id: Text

    def own_work(self) -> ClearAssetsWork:
        return ClearAssetsWork(job_id=self.job_id)


class CopyAssetRequest(PassthroughRequest):
    """The copy is kept here, as the job's own asset; nothing is sent to `destinationUri`."""

    wire_name: ClassVar[str] = "copyAsset"
    template_name: ClassVar[str] = "CopyAssetTemplate"
    job_type: ClassVar[str] = "CopyAsset"
    cost: ClassVar[float] = 0

    job_id: Text
    asset_name: Text
    """Is the name of an asset, or the key of a blob."""
    destination_uri: Uri | None = None

    def own_work(self) -> CopyAssetWork:
        return CopyAssetWork(job_id=self.job_id, asset_name=self.asset_name)
