"""Job types that act on stored blobs, and on the files that another job made."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.wire import BlobKey, Text, Uri
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.generation.job_types.blobs import (
    ClearAssetSpec,
    CopyAssetSpec,
    DeleteBlobSpec,
    GetBlobSpec,
    PinBlobSpec,
    StoredBlobSpec,
    UnpinBlobSpec,
    UploadBlobSpec,
)

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
]


class StoredBlobRequest(JobRequest):
    """Acts on a blob by its key; the result tells if there is no such blob, which is not an error."""

    spec: ClassVar[type[StoredBlobSpec]]

    key: BlobKey

    def draft(self) -> StoredBlobSpec:
        return self.spec(key=self.key)


class DeleteBlobRequest(StoredBlobRequest):
    """The blob is deleted now, also from the results of the job that made it."""

    wire_name: ClassVar[str] = "blobDelete"
    template_name: ClassVar[str] = "DeleteBlobTemplate"
    job_type: ClassVar[str] = DeleteBlobSpec.job_type
    spec: ClassVar[type[StoredBlobSpec]] = DeleteBlobSpec


class GetBlobRequest(StoredBlobRequest):
    """With a `duration` the blob stays for at least that long from now."""

    wire_name: ClassVar[str] = "blobGet"
    template_name: ClassVar[str] = "GetBlobTemplate"
    job_type: ClassVar[str] = GetBlobSpec.job_type

    duration: Retention | None = None

    def draft(self) -> GetBlobSpec:
        return GetBlobSpec(key=self.key, duration=self.duration)


class PinBlobRequest(StoredBlobRequest):
    """The blob stays until it is unpinned or deleted."""

    wire_name: ClassVar[str] = "blobPin"
    template_name: ClassVar[str] = "PinBlobTemplate"
    job_type: ClassVar[str] = PinBlobSpec.job_type
    spec: ClassVar[type[StoredBlobSpec]] = PinBlobSpec


class UnpinBlobRequest(StoredBlobRequest):
    """The blob is deleted together with this job."""

    wire_name: ClassVar[str] = "blobUnpin"
    template_name: ClassVar[str] = "UnpinBlobTemplate"
    job_type: ClassVar[str] = UnpinBlobSpec.job_type
    spec: ClassVar[type[StoredBlobSpec]] = UnpinBlobSpec


class UploadBlobRequest(JobRequest):
    """Without a `key` the result has that of the job. There is nowhere to upload to, so `replace` changes nothing."""

    wire_name: ClassVar[str] = "blobUpload"
    template_name: ClassVar[str] = "UploadBlobTemplate"
    job_type: ClassVar[str] = UploadBlobSpec.job_type

    key: BlobKey | None = None
    replace: bool | None = None
    duration: Retention | None = None

    def draft(self) -> UploadBlobSpec:
        return UploadBlobSpec(key=self.key, replace=self.replace, duration=self.duration)


class ClearAssetRequest(JobRequest):
    """The other job still lists its files; their URLs answer 404."""

    wire_name: ClassVar[str] = "clearAssets"
    template_name: ClassVar[str] = "ClearAssetTemplate"
    job_type: ClassVar[str] = ClearAssetSpec.job_type

    job_id: Text

    def draft(self) -> ClearAssetSpec:
        return ClearAssetSpec(job_id=self.job_id)


class CopyAssetRequest(JobRequest):
    """The copy is kept here, as the job's own asset; nothing is sent to `destinationUri`."""

    wire_name: ClassVar[str] = "copyAsset"
    template_name: ClassVar[str] = "CopyAssetTemplate"
    job_type: ClassVar[str] = CopyAssetSpec.job_type

    job_id: Text
    asset_name: Text
    """Is the name of an asset, or the key of a blob."""
    destination_uri: Uri | None = None

    def draft(self) -> CopyAssetSpec:
        return CopyAssetSpec(job_id=self.job_id, asset_name=self.asset_name, destination_uri=self.destination_uri)
