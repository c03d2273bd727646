"""`movieRating`: who may see a picture or a film."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import Uri
from civitai_mock.generation.work import ResultWork


class MovieRatingJobRequest(AsSentRequest):
    """The file is not fetched: everybody may see it. The members of the result are v2's."""

    wire_name: ClassVar[str] = "movieRating"
    template_name: ClassVar[str] = "MovieRatingJobTemplate"
    job_type: ClassVar[str] = "MovieRating"
    cost: ClassVar[float] = 1

    media_url: Uri

    def order(self) -> ResultWork:
        return ResultWork(result={"nsfwLevel": "pg", "isBlocked": False}, seconds=1.5)
