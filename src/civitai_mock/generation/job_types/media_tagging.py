"""`mediaTagging`: words for what a picture or a film shows."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.guesses import MEDIA_TAGS, confidences, dice
from civitai_mock.generation.wire import Int32, Uri
from civitai_mock.generation.work import ResultWork


class MediaTaggingJobRequest(AsSentRequest):
    """The file is not fetched: the same URL always gets the same tags."""

    wire_name: ClassVar[str] = "mediaTagging"
    template_name: ClassVar[str] = "MediaTaggingJobTemplate"
    job_type: ClassVar[str] = "MediaTagging"
    cost: ClassVar[float] = 1

    model_id: Int32
    media_url: Uri

    def order(self) -> ResultWork:
        found = confidences(MEDIA_TAGS, dice(str(self.model_id), self.media_url))
        return ResultWork(
            result={"tags": [{"tag": tag, "confidence": sure} for tag, sure in found.items()]}, seconds=1.2
        )
