"""`wdTagging`: booru tags for a picture."""

from typing import Annotated, ClassVar

from pydantic import Field

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.guesses import BOORU_TAGS, confidences, dice, shares
from civitai_mock.generation.wire import Number, Text, Uri
from civitai_mock.generation.work import ResultWork

RATINGS = ("general", "sensitive", "questionable", "explicit")


class WDTaggingJobRequest(AsSentRequest):
    """The file is not fetched: the same URL always gets the same tags, those at or above `threshold`."""

    wire_name: ClassVar[str] = "wdTagging"
    template_name: ClassVar[str] = "WDTaggingJobTemplate"
    job_type: ClassVar[str] = "WDTagging"
    cost: ClassVar[float] = 1

    model: Annotated[Text, Field(min_length=1)]
    media_url: Uri
    threshold: Annotated[Number, Field(ge=0, le=1)] | None = None

    def order(self) -> ResultWork:
        throws = dice(self.model, self.media_url)
        found = confidences(BOORU_TAGS, throws)
        tags = {tag: sure for tag, sure in found.items() if sure >= (self.threshold or 0)}
        return ResultWork(result={"tags": {**tags}, "rating": {**shares(RATINGS, throws)}}, seconds=1.0)
