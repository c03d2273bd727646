"""`imageEmbedding`: a vector that stands for a picture."""

from typing import ClassVar

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.guesses import dice, embedding
from civitai_mock.generation.wire import Uri
from civitai_mock.generation.work import ResultWork


class ImageEmbeddingJobRequest(AsSentRequest):
    """The picture is not fetched: the same URL always gets the same vector."""

    wire_name: ClassVar[str] = "imageEmbedding"
    template_name: ClassVar[str] = "ImageEmbeddingJobTemplate"
    job_type: ClassVar[str] = "ImageEmbedding"
    cost: ClassVar[float] = 1

    image_url: Uri

    def order(self) -> ResultWork:
        return ResultWork(result={"embedding": [*embedding(dice(self.image_url))]}, seconds=0.8)
