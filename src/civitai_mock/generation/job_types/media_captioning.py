"""`mediaCaptioning`: a sentence about a picture or a film."""

from typing import Annotated, ClassVar

from pydantic import Field

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.guesses import caption, dice
from civitai_mock.generation.wire import Number, PromptText, Uri
from civitai_mock.generation.work import ResultWork


class MediaCaptioningJobRequest(AsSentRequest):
    """The file is not fetched: the same request always gets the same sentence."""

    wire_name: ClassVar[str] = "mediaCaptioning"
    template_name: ClassVar[str] = "MediaCaptioningJobTemplate"
    job_type: ClassVar[str] = "MediaCaptioning"
    cost: ClassVar[float] = 1

    media_url: Uri
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    max_new_tokens: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    custom_instructions: PromptText | None = None

    def order(self) -> ResultWork:
        sentence = caption(dice(self.media_url, self.custom_instructions or ""))
        return ResultWork(result={"caption": sentence}, seconds=2.5)
