"""`clearAssets`: delete the files that another job made."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import Text
from civitai_mock.generation.work import ClearAssetsWork


class ClearAssetRequest(AsSentRequest):
    """The other job still tells of its files; their URLs answer 404."""

    wire_name: ClassVar[str] = "clearAssets"
    template_name: ClassVar[str] = "ClearAssetTemplate"
    job_type: ClassVar[str] = "ClearAssets"
    cost: ClassVar[float] = 0

    job_id: Text

    def order(self) -> ClearAssetsWork:
        return ClearAssetsWork(job_id=self.job_id)
