"""Job types that act on stored blobs, and on the files that another job made."""

from datetime import timedelta
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.job_types.draft import CompleteSpec
from civitai_mock.generation.work import BlobAction, BlobWork, ClearAssetsWork, CopyAssetWork


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlobSpec(CompleteSpec):
    """Acts on a blob by its key; the result tells if there is no such blob, which is not an error."""

    cost: ClassVar[float] = 0
    action: ClassVar[BlobAction]

    key: str

    def own_work(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBlobSpec(StoredBlobSpec):
    """The blob is deleted now, also from the results of the job that made it."""

    job_type: ClassVar[str] = "BlobDelete"
    action: ClassVar[BlobAction] = BlobAction.DELETE


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBlobSpec(StoredBlobSpec):
    """With a `duration` the blob stays for at least that long from now."""

    job_type: ClassVar[str] = "BlobGet"
    action: ClassVar[BlobAction] = BlobAction.GET

    duration: timedelta | None = None

    def own_work(self) -> BlobWork:
        return BlobWork(action=self.action, key=self.key, duration=self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinBlobSpec(StoredBlobSpec):
    """The blob stays until it is unpinned or deleted."""

    job_type: ClassVar[str] = "BlobPin"
    action: ClassVar[BlobAction] = BlobAction.PIN


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpinBlobSpec(StoredBlobSpec):
    """The blob is deleted together with this job."""

    job_type: ClassVar[str] = "BlobUnpin"
    action: ClassVar[BlobAction] = BlobAction.UNPIN


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBlobSpec(CompleteSpec):
    """Without a `key` the result has that of the job. There is nowhere to upload to, so `replace` changes nothing."""

    job_type: ClassVar[str] = "BlobUpload"
    cost: ClassVar[float] = 0

    key: str | None = None
    replace: bool | None = None
    duration: timedelta | None = None

    def own_work(self) -> BlobWork:
        return BlobWork(action=BlobAction.UPLOAD, key=self.key, duration=self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAssetSpec(CompleteSpec):
    """The other job still lists its files; their URLs answer 404."""

    job_type: ClassVar[str] = "ClearAssets"
    cost: ClassVar[float] = 0

    job_id: str

    def own_work(self) -> ClearAssetsWork:
        return ClearAssetsWork(job_id=self.job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAssetSpec(CompleteSpec):
    """The copy is kept here, as the job's own asset; nothing is sent to `destination_uri`.

    `asset_name` is the name of an asset, or the key of a blob.
    """

    job_type: ClassVar[str] = "CopyAsset"
    cost: ClassVar[float] = 0

    job_id: str
    asset_name: str
    destination_uri: str | None = None

    def own_work(self) -> CopyAssetWork:
        return CopyAssetWork(job_id=self.job_id, asset_name=self.asset_name)
