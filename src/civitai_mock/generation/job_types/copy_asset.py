"""`copyAsset`: a copy of a file that another job made."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import Text, Uri
from civitai_mock.generation.work import CopyAssetWork


class CopyAssetRequest(AsSentRequest):
    """The copy is kept here, as the job's own asset; nothing is sent to `destinationUri`."""

    wire_name: ClassVar[str] = "copyAsset"
    template_name: ClassVar[str] = "CopyAssetTemplate"
    job_type: ClassVar[str] = "CopyAsset"
    cost: ClassVar[float] = 0

    job_id: Text
    asset_name: Text
    """The name of an asset, or the key of a blob."""
    destination_uri: Uri | None = None

    def order(self) -> CopyAssetWork:
        return CopyAssetWork(job_id=self.job_id, asset_name=self.asset_name)
